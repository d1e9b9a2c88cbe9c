#!/usr/bin/env python3
"""Writes scores.tsv (real lines) and scores.json (what sacreBLEU says of them) for ScoringTests.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install sacrebleu==2.6.0
    /tmp/venv/bin/python make_scores.py               # scores.json, from scores.tsv as it lies there
    /tmp/venv/bin/python make_scores.py --lines DIR   # scores.tsv first, from DIR/{zh_CN,ja,ru,hi,fr}.tsv
    /tmp/venv/bin/python make_scores.py --ranges      # Sources/Scoring/UnicodeRanges.swift

DIR holds pairs of LibreOffice's messages (Debian packages libreoffice-l10n-*), the second column of
which is taken. A row of scores.tsv is: language, reference, hypothesis, another hypothesis.
"""
import json
import os
import random
import sys
from pathlib import Path

import numpy as np
import regex
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

here = Path(__file__).resolve().parent
LANGUAGES = {"zh_CN": 700, "ja": 700, "ru": 700, "hi": 600, "fr": 700}
TOKENISERS = ["none", "13a", "intl", "char", "zh"]
SMOOTHINGS = [("exp", None), ("none", None), ("floor", None), ("floor", 0.5), ("add-k", None),
              ("add-k", 2)]

EDGES = [
    ("", ""), ("word", ""), ("", "word"), ("word", "word"), ("Word.", "word."),
    ("trailing blanks here   ", "trailing blanks here"), ("\u3000ideographic space\u3000", "ideographic space"),
    ("a\u00a0b c\u2009d\u200be\x1cf\x85g", "a b c d e f g"), ("cafe\u0301 d\u00e9ja\u0300 vu la\u0300", "caf\u00e9 d\u00e9j\u00e0 vu l\u00e0"),
    ("caf\u00e9 d\u00e9j\u00e0 vu l\u00e0", "cafe\u0301 de\u0301ja\u0300 vu la\u0300"),
    ("\U0001f469\u200d\U0001f469\u200d\U0001f467 family \U0001f1eb\U0001f1f7 flag \u2764\ufe0f", "\U0001f469\u200d\U0001f467 family \U0001f1eb\U0001f1f7 flag \u2764"),
    ("\U0001f600\U0001f600\U0001f600\U0001f600", "\U0001f600\U0001f600\U0001f600"),
    ("&quot;A &amp;lt; B&quot; &gt; <skipped>C", "\"A < B\" > C"), ("1,000.50 and 3-4, 5.-6 a,b .5 5.", "1,000.50 and 3-4, 5. -6 a, b .5 5."),
    ("\u5b8c\u5168\u6b63\u786e\u7684\u53e5\u5b50\u3002", "\u5b8c\u5168\u6b63\u786e\u7684\u53e5\u5b50\u3002"), ("\U00020000\U0002a6d6\u2001\u2014\u2605\u4f60 OK\uff0c", "\U00020000\U0002a6d6\u2014\u2605\u4f60 OK\uff0c"),
    ("\u1ed3\u0301\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22 \u0e41\u0e25\u0e30", "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22\u0e41\u0e25\u0e30"),
    ("\u039f\u0394\u039f\u03a3 \u03a3 \u03a3\u0391\u03a3. \u0130\u0049 \u00df\u1e9e", "\u03bf\u03b4\u03bf\u03c2 \u03c3 \u03c3\u03b1\u03c2. i\u0307i \u00df\u00df"),
    ("(hi) \"quoted\", it's -- e.g. $5.00/kg #1 @you", "(hi) \"quoted\", it 's - e.g. $5.00 / kg #1 @you"),
    ("a b c d e f g h", "e f g h a b c d"), ("b a", "a b"), ("x " * 60, "y " * 3), ("y z", "x " * 120),
    ("the the the the the the the", "the cat is on the mat"), (" ".join(map(str, range(90))), " ".join(map(str, [*range(45, 90), *range(45)]))),
    ("\u202e\u05e9\u05dc\u05d5\u05dd \u200f\u05e2\u05d5\u05dc\u05dd!", "\u05e9\u05dc\u05d5\u05dd, \u05e2\u05d5\u05dc\u05dd!"), ("\u0663\u066b\u0661\u0664 \u066a \u00bd\u2163.\u2163", "\u0663.\u0661\u0664 % \u00bd \u2163.\u2163"),
    ("A-B_C~D^E`F|G{H}I[J]K\\L", "A - B _ C ~ D ^ E ` F | G { H } I [ J ] K \\ L"), ("...", "\u2026"), ("\ufeffbom", "bom"),
]


def perturbed(line, draw):
    """The line with words (of scripts without blanks: characters) lost, doubled, moved, replaced."""
    apart = " " in line and len(line.split()) > 2
    parts = line.split() if apart else list(line)
    for _ in range(draw.choice([0, 1, 1, 2, 3, 5])):
        if len(parts) < 2:
            break
        at, to = draw.randrange(len(parts)), draw.randrange(len(parts))
        what = draw.randrange(6)
        if what == 0:
            del parts[at]
        elif what == 1:
            parts.insert(to, parts[at])
        elif what == 2:
            length = draw.randint(1, 4)
            piece = parts[at:at + length]
            del parts[at:at + length]
            parts[to:to] = piece
        elif what == 3:
            parts[at] = parts[to]
        elif what == 4:
            parts[at] = parts[at].swapcase() + draw.choice([",", "", ".", "\u3002", "-", "!"])
        else:
            parts = parts[:max(1, len(parts) - draw.randint(1, 3))]
    return (" " if apart else "").join(parts) + draw.choice(["", "", "", " ", "  "])


def write_lines(folder):
    draw = random.Random(22)
    with open(here / "scores.tsv", "w", encoding="utf8", newline="\n") as file:
        for language, count in LANGUAGES.items():
            lines = [l.rstrip("\n").split("\t")[1] for l in open(folder / f"{language}.tsv", encoding="utf8")]
            lines = [l for l in dict.fromkeys(lines) if 6 <= len(l.encode()) <= 130]
            for line in draw.sample(lines, count):
                file.write("\t".join([language, line, perturbed(line, draw), perturbed(line, draw)]) + "\n")


def texts():
    """Name → hypotheses, other hypotheses, three lists of references."""
    rows = {}
    for line in open(here / "scores.tsv", encoding="utf8", newline="\n"):
        language, reference, hypothesis, other = line.rstrip("\n").split("\t")
        rows.setdefault(language, []).append((reference, hypothesis, other))
    rows["edges"] = [(reference, hypothesis, hypothesis[::-1]) for hypothesis, reference in EDGES]
    for name, lines in rows.items():
        references, hypotheses, others = map(list, zip(*lines))
        yield name, hypotheses, others, [references, others, hypotheses[1:] + hypotheses[:1]]


def fnv(lines):
    """FNV-1a of 64 bits over lines in UTF-8, each with its end."""
    value = 0xCBF29CE484222325
    for line in lines:
        for byte in (line + "\n").encode():
            value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def exact(number):
    return f"{float(number):.10f}"


def bleu_row(metric, score):
    return {"signature": metric.get_signature().format(), "score": exact(score.score),
            "line": score.format(width=2, signature=metric.get_signature().format())}


def corpus_bleu(hypotheses, references):
    rows = []
    for tokeniser in TOKENISERS:
        for count in (1, 2, 3):
            metric = BLEU(tokenize=tokeniser, force=True)
            rows.append({"tok": tokeniser, "refs": count,
                         **bleu_row(metric, metric.corpus_score(hypotheses, references[:count]))})
        metric = BLEU(tokenize=tokeniser, lowercase=True, force=True)
        rows.append({"tok": tokeniser, "refs": 1, "lowercase": True,
                     **bleu_row(metric, metric.corpus_score(hypotheses, references[:1]))})
    return rows


def smoothed(hypotheses, references):
    """Texts of one to four lines, in which whole orders lack a match."""
    rows = []
    for method, value in SMOOTHINGS:
        for effective in (False, True):
            metric = BLEU(smooth_method=method, smooth_value=value, effective_order=effective, force=True)
            for start in range(0, 24, 3):
                lines = slice(start, start + 1 + start % 4)
                score = metric.corpus_score(hypotheses[lines], [references[0][lines]])
                rows.append({"method": method, "value": value, "effective": effective, "start": start,
                             "end": lines.stop, **bleu_row(metric, score)})
    return rows


def others_of(name, hypotheses, others, references, tokeniser):
    """chrF, chrF++ and TER of the text, and what the bootstrap says of all metrics."""
    rows = []
    for kind, make in (("bleu", lambda: BLEU(tokenize=tokeniser, force=True)), ("chrf", CHRF),
                       ("chrf++", lambda: CHRF(word_order=2)),
                       ("chrf-lc", lambda: CHRF(word_order=2, lowercase=True)), ("ter", TER)):
        for count in (1, 3):
            metric = make()
            plain = metric.corpus_score(hypotheses, references[:count])
            row = {"metric": kind, "refs": count, "score": exact(plain.score),
                   "line": plain.format(width=2, signature=metric.get_signature().format())}
            metric = make()
            score = metric.corpus_score(hypotheses, references[:count], n_bootstrap=1000)
            row |= {"signature": metric.get_signature().format(), "mean": exact(score._mean),
                    "margin": exact(score._ci),
                    "confident": score.format(width=2, signature=metric.get_signature().format())}
            metric = make()
            test = PairedTest([("baseline", others), ("system", hypotheses)], {"m": metric},
                              references[:count], test_type="bs", n_samples=300)
            _, scores = test()
            base, system = next(v for k, v in scores.items() if k != "System")
            row["paired"] = {"mean": exact(system.mean), "margin": exact(system.ci),
                             "baselineMean": exact(base.mean), "baselineMargin": exact(base.ci),
                             "p": exact(system.p_value)}
            rows.append(row)
    return rows


def sentences(hypotheses, references, tokeniser):
    """The score of each line as printed with two places, by metric."""
    result = {}
    for name, metric, count in (("bleu", BLEU(tokenize=tokeniser, effective_order=True, force=True), 1),
                                ("bleu2", BLEU(tokenize=tokeniser, effective_order=True, force=True), 2),
                                ("chrf", CHRF(), 1), ("chrf++", CHRF(word_order=2), 2),
                                ("ter", TER(), 1), ("ter3", TER(), 3)):
        scores = [metric.sentence_score(h, list(r)) for h, *r in zip(hypotheses, *references[:count])]
        result[name] = " ".join(f"{s.score:.2f}" for s in scores)
    return result


def draws():
    rows = []
    for limit in (1, 2, 3, 700, 3001, 2**20, 2**31 + 11, 3 * 2**30):
        rng = np.random.default_rng(12345)
        rows.append({"limit": limit, "draws": rng.choice(limit, size=(3, 41), replace=True).ravel().tolist()
                     if limit < 2**21 else rng.integers(0, limit, size=123).tolist()})
    return rows


def every_scalar():
    """Each scalar among letters, digits and blanks, by tokeniser."""
    def lines():
        for value in [*range(0xD800), *range(0xE000, 0x32000), *range(0xE0000, 0xE0200)]:
            c = chr(value)
            yield f"a{c}b 1{c}2 {c}x{c},{c}9{c}- .{c}"
    rows = {}
    for name in TOKENISERS:
        metric = BLEU(tokenize=name)
        rows[name] = fnv(" ".join(metric._preprocess_segment(line).split()) for line in lines())
    return rows


def lowercase():
    """Every scalar that this Python knows (Unicode 14), in lower case."""
    import unicodedata
    assert unicodedata.unidata_version == "14.0.0"
    return fnv(f"{chr(v)}x".lower() for v in range(0x110000) if unicodedata.category(chr(v)) not in ("Cn", "Cs"))


def ranges(category):
    found, start, known = [], None, regex.compile(r"\p{%s}" % category)
    for value in range(0x110001):
        if value < 0x110000 and not 0xD800 <= value <= 0xDFFF and known.match(chr(value)):
            start = value if start is None else start
        elif start is not None:
            found.append((start, value - 1))
            start = None
    return found


def write_ranges(path):
    text = path.read_text(encoding="utf8")
    head = text[:text.index("\n    static let numbers")]
    for category, name in (("N", "numbers"), ("P", "punctuation"), ("S", "symbols")):
        head += f"\n    static let {name} = UnicodeClass(ranges: [\n"
        line = ""
        for first, last in ranges(category):
            word = f"0x{first:X}...0x{last:X},"
            if len(line) + 1 + len(word) > 88:
                head, line = head + f"        {line}\n", word
            else:
                line = f"{line} {word}".strip()
        head += f"        {line}\n    ])\n"
    path.write_text(head + "}\n", encoding="utf8")


def main():
    os.environ.pop("SACREBLEU_SEED", None)
    if "--ranges" in sys.argv:
        return write_ranges(here.parent.parent / "Sources/Scoring/UnicodeRanges.swift")
    if "--lines" in sys.argv:
        write_lines(Path(sys.argv[sys.argv.index("--lines") + 1]))
    golden = {"edges": [[h, r] for h, r in EDGES], "draws": draws(), "scalars": every_scalar(),
              "lowercase": lowercase(), "texts": []}
    for name, hypotheses, others, references in texts():
        tokeniser = {"zh_CN": "zh", "ja": "char"}.get(name, "13a")
        golden["texts"].append({
            "name": name, "tok": tokeniser, "bleu": corpus_bleu(hypotheses, references),
            "smoothed": smoothed(hypotheses, references),
            "metrics": others_of(name, hypotheses, others, references, tokeniser),
            "sentences": sentences(hypotheses, references, tokeniser)})
        print(name, len(hypotheses), file=sys.stderr)
    with open(here / "scores.json", "w", encoding="utf8", newline="\n") as file:
        json.dump(golden, file, ensure_ascii=True, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
