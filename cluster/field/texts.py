"""Text that is odd, is not what it was, or comes another way."""
import gzip
import json
import lzma
import os
import pty
import re
import subprocess
import tarfile
import unicodedata
import zipfile

from cases import TOY, Failure, case, pairs

SMALL = [*TOY, "--vocabulary", "200"]
# Learns these pairs by heart within seconds: a perfect translator.
PERFECT = ("--d-model 64 --layers 1 --heads 4 --d-ff 128 --batch-tokens 2048 --validate-every 0 --vocabulary 100 "
           "--threads 2 --dropout 0 --learning-rate 0.01 --warmup 30 --steps 250 --quiet").split()


def sentences(count=200):
    """Pairs whose translation follows from the words: the held-out ones can be got right."""
    words = {"red": "rouge", "old": "vieux", "green": "vert", "quiet": "calme"}
    things = {"cat": "chat", "dog": "chien", "house": "logis", "child": "maître"}
    verbs = {"likes": "aime", "sees": "voit", "finds": "trouve"}
    lines = []
    for number in range(count):
        colour, thing = list(words)[number % 4], list(things)[number // 4 % 4]
        verb, other = list(verbs)[number // 16 % 3], list(things)[number // 48 % 4]
        second = list(words)[number // 7 % 4]
        lines.append((f"The {colour} {thing} {verb} the {second} {other}.",
                      f"Le {things[thing]} {words[colour]} {verbs[verb]} le {things[other]} {words[second]}."))
    return lines


def tsv(lines):
    return "".join(f"{source}\t{target}\n" for source, target in lines)


def train(place, *options, run="a", steps=3, **more):
    return place.dtrain("train", "--run", run, *SMALL, "--steps", str(steps), *options, **more)


def bleu(result):
    found = re.findall(r"BLEU ([0-9.]+)", result.out)
    if not found:
        raise Failure(f"no BLEU\n{result}")
    return float(found[-1])


def same(found, expected, what):
    if found != expected:
        raise Failure(f"{what}: {found!r} instead of {expected!r}")


# Identity of the text

def resumed_with(place, change, says, options=()):
    """Trains, changes the text by `change`, and resumes: refused with 65 and what `says` says."""
    lines = pairs(200).splitlines()
    place.write("c.tsv", "\n".join(lines) + "\n")
    train(place, "--corpus", "c.tsv", *options, steps=4).expect(code=0)
    change(lines)
    place.write("c.tsv", "\n".join(lines) + "\n")
    place.dtrain("train", "--resume", "--run", "a", "--steps", "8", "--quiet").expect(
        code=65, says=["c.tsv", says], sentence=True, within=10)


@case("a line that was changed is noticed on resuming, and about where it stands")
def text_line_changed(place):
    resumed_with(place, lambda lines: lines.__setitem__(100, "other words\tautres mots"), "line 97|line 10[0-9]|line 11[0-2]")


@case("a line that was added is noticed on resuming")
def text_line_added(place):
    resumed_with(place, lambda lines: lines.insert(50, "other words\tautres mots"), "201 pairs where it had 200")


@case("a line that was taken out is noticed on resuming")
def text_line_removed(place):
    resumed_with(place, lambda lines: lines.pop(), "199 pairs where it had 200")


@case("another order is noticed on resuming")
def text_reordered(place):
    resumed_with(place, lambda lines: lines.reverse(), "line 1\\b")


@case("another line among those held out is noticed on resuming")
def text_held_out_changed(place):
    place.write("c.tsv", pairs(60))
    place.write("v.tsv", pairs(20))
    train(place, "--corpus", "c.tsv", "--validation", "v.tsv").expect(code=0)
    place.write("v.tsv", pairs(19))
    place.dtrain("train", "--resume", "--run", "a", "--steps", "8").expect(code=65, says="v.tsv")
    place.write("w.tsv", pairs(20))
    place.dtrain("train", "--resume", "--run", "a", "--steps", "8", "--validation", "w.tsv").expect(code=0)


@case("running text that was changed is noticed on resuming")
def text_lm_changed(place):
    text = "\n\n".join(f"line {number} of a text\nand {number * 7} more" for number in range(60))
    place.write("t.txt", text)
    train(place, "--architecture", "lm", "--text", "t.txt", "--positions", "32").expect(code=0)
    place.write("t.txt", text.replace("line 30", "lime 30"))
    place.dtrain("train", "--resume", "--run", "a", "--steps", "8").expect(code=65, says=["t.txt", "line 9[0-9]"])


@case("another tokenizer is noticed on resuming")
def text_other_tokenizer(place):
    place.write("c.tsv", pairs(200))
    place.write("d.tsv", pairs(150))
    train(place, "--corpus", "c.tsv").expect(code=0)
    train(place, "--corpus", "d.tsv", run="b").expect(code=0)
    models = [place.path(run, "checkpoints", "step-000003", "tokenizer.model") for run in "ab"]
    options = ["train", "--run", "c", *TOY, "--corpus", "c.tsv"]
    place.dtrain(*options, "--tokenizer", models[0], "--steps", "3").expect(code=0)
    place.dtrain("train", "--resume", "--run", "c", "--steps", "6", "--tokenizer", models[1]).expect(
        code=(64, 65), says="tokenizer")


@case("the same text under another path, or written otherwise, goes on with the same bits")
def text_same_elsewhere(place):
    text = pairs(200)
    place.write("c.tsv", text)
    straight = train(place, "--corpus", "c.tsv", run="straight", steps=8).expect(code=0).digest
    for name, content in (("moved", text), ("windows", "\ufeff" + text.replace("\n", "\r\n")),
                          ("blanks", "\n" + text.replace("\n", "\n\n"))):
        train(place, "--corpus", "c.tsv", run=name, steps=4).expect(code=0)
        path = place.write(f"elsewhere/{name}.tsv", content)
        resumed = place.dtrain("train", "--resume", "--run", name, "--steps", "8", "--corpus", path).expect(code=0)
        same(resumed.digest, straight, name)
    halves = [[line.split("\t")[side] for line in text.splitlines()] for side in (0, 1)]
    place.write("c.en", "\n".join(halves[0]))
    place.write("c.fr", "\n".join(halves[1]))
    train(place, "--source", "c.en", "--target", "c.fr", run="files", steps=4).expect(code=0)
    place.write("d.fr", "\n".join(halves[1][:-1] + ["other"]))
    place.dtrain("train", "--resume", "--run", "files", "--target", "d.fr", "--source", "c.en").expect(
        code=65, says="d.fr")


@case("verify refuses another text, and evaluate does not take it for the run's own")
def text_changed_verify(place):
    place.write("c.tsv", pairs(200))
    train(place, "--corpus", "c.tsv").expect(code=0)
    place.dtrain("verify", "a").expect(code=0)
    place.write("c.tsv", pairs(199))
    for command in (["verify", "a"], ["evaluate", "--run", "a"]):
        place.dtrain(*command).expect(code=65, says="c.tsv is not the text that this run began with", sentence=True)
    os.remove(place.path("c.tsv"))
    place.dtrain("evaluate", "--run", "a").expect(code=74, says=["c.tsv cannot be read", "--corpus"])


# A success stays one

@case("text from a pipe, and from standard input, gives the digest of the file")
def text_from_pipe(place):
    place.write("c.tsv", pairs(200))
    digest = train(place, "--corpus", "c.tsv", run="f").expect(code=0).digest
    options = " ".join([*SMALL, "--steps 3"])
    for run, line in (("p", "--corpus <(cat c.tsv)"), ("i", "--corpus /dev/stdin < c.tsv"), ("m", "--corpus - < c.tsv"),
                      ("q", "--source <(cut -f1 c.tsv) --target <(cut -f2 c.tsv)")):
        result = place.shell(f"$D train --run {run} {options} {line}").expect(code=0, says=["BLEU", "digest"])
        same(result.digest, digest, run)
    place.dtrain("train", "--resume", "--run", "p", "--steps", "6").expect(code=64, says=["pipe", "--corpus"], within=5)
    place.dtrain("train", "--resume", "--run", "m", "--steps", "6").expect(
        code=64, says=["standard input", "--corpus"], within=5)
    place.dtrain("train", "--resume", "--run", "p", "--steps", "6", "--corpus", "c.tsv").expect(code=0, says="step 6")
    place.shell("$D train --resume --run m --steps 6 --corpus - < c.tsv").expect(code=0, says="step 6")
    place.shell("head -n 150 c.tsv | $D train --resume --run m --steps 9 --corpus -").expect(
        code=65, says="150 pairs where it had 200")
    place.dtrain("evaluate", "--run", "m").expect(code=65, says=["standard input", "--corpus"])
    place.dtrain("evaluate", "--run", "p").expect(code=0)
    place.dtrain("verify", "m").expect(code=65, says=["standard input", "--corpus"])
    place.dtrain("verify", "m", "--corpus", "c.tsv").expect(code=0, says="agree")
    place.dtrain("verify", "m", "--corpus", "-", stdin=place.read("c.tsv")).expect(code=0, says="agree")


@case("text that is removed or replaced while a run trains does no harm")
def text_removed_meanwhile(place):
    for change in ("rm c.tsv", "echo nonsense > c.tsv", "rm c.tsv; mkdir c.tsv"):
        place.shell("rm -rf a c.tsv")
        place.write("c.tsv", pairs(200))
        started = place.start("train", "--run", "a", *SMALL, "--corpus", "c.tsv", "--steps", "60", "--log-every", "1")
        started.wait_for("step 1/60")
        place.shell(change).expect(code=0)
        started.end().expect(code=0, says=["BLEU", "step 60 digest"])


@case("two options cannot both be standard input")
def text_input_twice(place):
    place.dtrain("train", "--source", "-", "--target", "-", stdin=pairs(9)).expect(
        code=64, says="--source and --target cannot both be standard input", sentence=True)


@case("what cannot be shown at the end is said, and the run has succeeded")
def text_output_full(place):
    place.write("c.tsv", pairs(200))
    options = " ".join([*SMALL, "--steps 3 --corpus c.tsv"])
    place.shell(f"$D train --run a {options} > /dev/full").expect(
        code=0, says=["could not be shown", "step 3 digest [0-9a-f]{64}"])
    place.dtrain("inspect", "a").expect(code=0)


# No character is lost in silence

@case("U+2585, which SentencePiece keeps for itself, is learnt like any other character")
def text_block(place):
    lines = [(f"{a} \u2585", f"{b} \u2585") for a, b in sentences()]
    place.write("c.tsv", tsv(lines))
    result = place.dtrain("train", "--corpus", "c.tsv", "--run", "a", *PERFECT, seconds=90).expect(
        code=0, not_says=["unknown", "⁇"])
    if bleu(result) < 95:
        raise Failure(f"BLEU {bleu(result)}\n{result}")
    place.dtrain("translate", "--run", "a", stdin=lines[0][0]).expect(code=0, says="\u2585")


@case("characters that stand nowhere but in <s> and </s> are learnt")
def text_marks(place):
    lines = [(f"<s> {a} </s>", f"<s> {b} </s>") for a, b in sentences()]
    place.write("c.tsv", tsv(lines))
    result = place.dtrain("train", "--corpus", "c.tsv", "--run", "a", *PERFECT, seconds=90).expect(
        code=0, not_says=["unknown", "⁇"])
    if bleu(result) < 95:
        raise Failure(f"BLEU {bleu(result)}\n{result}")


@case("a tokenizer of another text: unknown tokens and characters are said, with a warning")
def text_unknown(place):
    place.write("c.tsv", pairs(200))
    train(place, "--corpus", "c.tsv").expect(code=0)
    model = place.path("a", "checkpoints", "step-000003", "tokenizer.model")
    place.write("zh.tsv", "".join(f"the red cat {n}\t红的猫 {n}\n" for n in range(60)))
    options = ["--tokenizer", model, *TOY, "--steps", "2", "--quiet"]
    says = r"tokens of the training text are unknown.*%.*(红|的|猫) \(U\+"
    place.dtrain("train", "--run", "b", "--corpus", "zh.tsv", *options).expect(code=0, says=says)
    place.dtrain("train", "--dry-run", "--corpus", "zh.tsv", *options[:-1]).expect(code=0, says=says)
    place.dtrain("train", "--run", "d", "--corpus", "c.tsv", "--validation", "zh.tsv", *options).expect(
        code=0, says="what is held out are unknown")
    place.dtrain("evaluate", "--run", "a", "--corpus", "zh.tsv").expect(code=0, says="unknown to the tokenizer")
    place.dtrain("evaluate", "--run", "a", "--corpus", "zh.tsv", "--json").expect(code=0, says='"unknown_tokens":[1-9]')


@case("U+2581, which stands for a space in a tokenizer, is said")
def text_space_mark(place):
    place.write("c.tsv", pairs(200) + "a\u2581b\tc\u2581d\n")
    train(place, "--corpus", "c.tsv").expect(code=0, says="2 ▁ \\(U\\+2581\\) are read as space")


# Sentences that are left out

@case("pairs that are too long are left out and five of them named; --too-long stop insists")
def text_too_long(place):
    lines = pairs(200).splitlines()
    for place_of_long in range(10, 80, 10):
        lines[place_of_long - 1] = "word " * 300 + "\tmot"
    lines[150] = "x" * 40_000 + "\ty"
    place.write("c.tsv", "\n".join(lines) + "\n")
    says = ["8 pairs too long for --positions 256", "c.tsv:10, c.tsv:20, c.tsv:30, c.tsv:40, c.tsv:50, …"]
    train(place, "--corpus", "c.tsv", "--quiet").expect(code=0, says=says)
    place.dtrain("train", "--dry-run", "--corpus", "c.tsv", *SMALL).expect(code=0, says=[*says, "pairs too long +8"])
    place.dtrain("evaluate", "--run", "a", "--corpus", "c.tsv").expect(code=0, says=[r"pairs +192", says[0]])
    place.dtrain("verify", "a").expect(code=0)
    for command in (["train", "--run", "b", *SMALL, "--steps", "2"], ["train", "--dry-run", *SMALL],
                    ["evaluate", "--run", "a"]):
        place.dtrain(*command, "--corpus", "c.tsv", "--too-long", "stop").expect(
            code=65, says=["line 1[05]", "--too-long skip"], sentence=True)


@case("a text of which every pair is too long is refused with the way out")
def text_all_too_long(place):
    place.write("c.tsv", "".join(f"{'word ' * 40}{n}\tmot {n}\n" for n in range(60)))
    place.dtrain("train", "--run", "a", "--corpus", "c.tsv", *TOY, "--positions", "8").expect(
        code=65, says=["every pair is left out", "raise --positions"], sentence=True)


@case("blank lines are dropped and counted, in one file and in two, the last one too")
def text_blank_lines(place):
    text = pairs(200)
    place.write("c.tsv", text)
    digest = train(place, "--corpus", "c.tsv", run="plain").expect(code=0).digest
    place.write("last.tsv", text + "\n")
    same(train(place, "--corpus", "last.tsv", run="last").expect(code=0, says="1 blank line").digest, digest, "last")
    place.write("many.tsv", "\n \n" + text.replace("\n", "\n\u200b\n", 2))
    same(train(place, "--corpus", "many.tsv", run="many").expect(code=0, says="4 blank lines").digest, digest, "many")
    for name, side in (("c.en", 0), ("c.fr", 1)):
        place.write(name, "\n" + "".join(line.split("\t")[side] + "\n" for line in text.splitlines()) + "\n" * side)
    result = train(place, "--source", "c.en", "--target", "c.fr", run="files").expect(code=0, says="2 blank lines")
    same(result.digest, digest, "files")


@case("a line of text without a tab is still an error")
def text_no_tab(place):
    place.write("c.tsv", pairs(20) + "no tab here\n")
    train(place, "--corpus", "c.tsv").expect(code=65, says=["c.tsv, line 21, has no tab"], sentence=True)


@case("pairs with only zero-width characters are dropped and counted")
def text_zero_width(place):
    text = pairs(200)
    place.write("c.tsv", text)
    digest = train(place, "--corpus", "c.tsv", run="plain").expect(code=0).digest
    place.write("z.tsv", text + "\u200b\t\u200b\n\u2060\ufeff\tword\nword\t\u200d\u00ad\n")
    result = train(place, "--corpus", "z.tsv", run="z").expect(code=0, says="3 pairs with an empty side")
    same(result.digest, digest, "zero-width")
    marked = "".join(f"\u200b{a}\ufeff\t\u2060{b}\u200b\n" for a, b in (line.split("\t") for line in text.splitlines()))
    place.write("m.tsv", marked)
    same(train(place, "--corpus", "m.tsv", run="m").expect(code=0).digest, digest, "marks around sentences")


@case("a U+200B or U+FEFF around a sentence does not change its translation, its loss or what follows a prompt")
def text_marks_around(place):
    place.write("c.tsv", tsv(sentences()))
    place.dtrain("train", "--corpus", "c.tsv", "--run", "a", *PERFECT[:-3], "--steps", "60").expect(code=0)
    lines = [source for source, _ in sentences(8)]
    plain = place.dtrain("translate", "--run", "a", stdin="\n".join(lines)).expect(code=0).out
    for mark in "\u200b\ufeff\u2060\u200e\u00ad":
        marked = "\n".join(f" {mark}{line}{mark}" for line in lines)
        same(place.dtrain("translate", "--run", "a", stdin=marked).expect(code=0).out, plain, repr(mark))
    place.write("m.tsv", "".join(f"\u200b{a}\t{b}\ufeff\n" for a, b in sentences()))
    first, second = (place.dtrain("evaluate", "--run", "a", "--json", "--corpus", name).expect(code=0)
                     for name in ("c.tsv", "m.tsv"))
    same(json.loads(first.out)["loss"], json.loads(second.out)["loss"], "loss")


@case("a reference in decomposed form counts like the composed one")
def text_nfd(place):
    nfd = [(a, unicodedata.normalize("NFD", b)) for a, b in sentences()]
    place.write("c.tsv", tsv(nfd))
    place.write("nfc.tsv", tsv(sentences()))
    place.dtrain("train", "--corpus", "c.tsv", "--run", "a", *PERFECT, seconds=90).expect(code=0)
    first, second = (json.loads(place.dtrain("evaluate", "--run", "a", "--json", "--corpus", name).expect(code=0).out)
                     for name in ("c.tsv", "nfc.tsv"))
    same(first["bleu"], second["bleu"], "BLEU")
    if first["bleu"] < 95:
        raise Failure(f"BLEU {first}")


# Running text

@case("a text of one long line is cut into windows, some of it held out")
def text_one_document(place):
    place.write("t.txt", " ".join(f"word{n % 97} and other{n % 31}" for n in range(6000)))
    place.dtrain("train", "--run", "a", *TOY, "--steps", "3", "--architecture", "lm", "--text", "t.txt",
                 "--positions", "32").expect(
        code=0, says=["passages to train on", "held-out tokens"], not_says=" 0 held out")


# Small texts

@case("validation without anything held out is said")
def text_nothing_held_out(place):
    place.write("c.tsv", tsv(sentences(5)))
    place.dtrain("train", "--run", "a", "--corpus", "c.tsv", *TOY, "--validate-every", "1", "--steps", "2").expect(
        code=0, says=["nothing is held out", "--validation", "step 2 digest"])


@case("the default vocabulary shrinks to what a small text allows; a given one is refused with the largest")
def text_small_vocabulary(place):
    place.write("c.tsv", tsv(sentences(50)))
    options = ["--corpus", "c.tsv", *TOY, "--steps", "2"]
    result = place.dtrain("train", "--run", "a", *options).expect(code=0, says="vocabulary has [0-9,]+ pieces")
    pieces = re.search(r"vocabulary has ([0-9,]+) pieces", result.err).group(1).replace(",", "")
    if f"vocabulary: {pieces}" not in place.read("a/configuration.yaml").replace("'", ""):
        raise Failure(place.read("a/configuration.yaml"))
    place.dtrain("train", "--run", "b", *options, "--vocabulary", "4000").expect(
        code=65, says=f"at most {pieces}", sentence=True)
    place.write("c.yaml", "vocabulary: 4000\n")
    place.dtrain("train", "--run", "b", *options, "--config", "c.yaml").expect(code=65, says=f"at most {pieces}")
    same(place.dtrain("train", "--run", "c", *options, "--vocabulary", pieces).expect(code=0).digest, result.digest, "digest")
    place.dtrain("train", "--resume", "--run", "a", "--steps", "4").expect(code=0, says="step 4")


@case("one line, lines that repeat, and a text that is held out as a whole: right or one sentence")
def text_tiny(place):
    place.write("one.tsv", "The red cat.\tLe chat rouge.\n")
    train(place, "--corpus", "one.tsv", run="one").expect(code=65, says="--vocabulary 200.*at most")
    place.dtrain("train", "--run", "o", "--corpus", "one.tsv", *TOY, "--steps", "2").expect(code=0, says="step 2 digest")
    place.write("same.tsv", "The red cat.\tLe chat rouge.\n" * 50)
    place.dtrain("train", "--run", "s", "--corpus", "same.tsv", *TOY, "--steps", "2").expect(code=0, says="49 repeat another")
    # FNV-1a64 of these is divisible by 20.
    held = [f"s{n}" for n in range(400) if fnv(f"s{n}") % 20 == 0]
    place.write("held.tsv", "".join(f"{source}\tx\n" for source in held))
    place.dtrain("train", "--run", "h", "--corpus", "held.tsv", *TOY).expect(
        code=65, says=["held.tsv leaves no pair", f"{len(held)} held out", "--validation"], sentence=True)
    for name, content in (("empty.tsv", ""), ("mark.tsv", "\ufeff")):
        place.write(name, content)
        train(place, "--corpus", name, run="e").expect(code=65, says=f"{name} is empty", sentence=True)
    place.write("blank.tsv", "\n\n")
    train(place, "--corpus", "blank.tsv", run="e").expect(code=65, says="2 without words", sentence=True)


def fnv(text):
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 % (1 << 64)
    return value


# Evaluation

@case("evaluate counts what it leaves out, and takes two files")
def text_evaluate(place):
    place.write("c.tsv", pairs(200))
    train(place, "--corpus", "c.tsv").expect(code=0)
    lines = pairs(50).splitlines() + ["a\t", "\tb", ""] * 6 + ["\u200b\t\u200b", "x\t\u00a0"]
    place.write("t.tsv", "\n".join(lines))
    place.dtrain("evaluate", "--run", "a", "--corpus", "t.tsv").expect(
        code=0, says=[r"pairs +50", "6 blank lines, 14 pairs with an empty side", "t.tsv:51"])
    result = place.dtrain("evaluate", "--run", "a", "--corpus", "t.tsv", "--json").expect(code=0)
    same(json.loads(result.out)["dropped"], 20, "dropped")
    for name, side in (("t.en", 0), ("t.fr", 1)):
        place.write(name, "".join((line.split("\t") + [""])[side] + "\n" for line in lines))
    files = place.dtrain("evaluate", "--run", "a", "--source", "t.en", "--target", "t.fr", "--json").expect(code=0)
    same(json.loads(files.out)["loss"], json.loads(result.out)["loss"], "loss")
    piped = place.dtrain("evaluate", "--run", "a", "--corpus", "-", "--json", stdin=place.read("t.tsv")).expect(code=0)
    same(json.loads(piped.out)["loss"], json.loads(result.out)["loss"], "loss")
    place.dtrain("evaluate", "--run", "a", "--source", "t.en").expect(code=64, says="--source needs --target")
    place.dtrain("evaluate", "--run", "a", "--corpus", "t.tsv", "--source", "t.en").expect(code=64, says="exclude")


# Standard input

@case("- is standard input wherever a text is read")
def text_dash(place):
    place.write("c.tsv", pairs(200))
    train(place, "--corpus", "c.tsv").expect(code=0)
    plain = place.dtrain("translate", "--run", "a", stdin="one\ntwo\n").expect(code=0).out
    same(place.dtrain("translate", "--run", "a", "-", stdin="one\ntwo\n").expect(code=0).out, plain, "translate -")
    train(place, "--corpus", "c.tsv", "--validation", "-", run="v", stdin=pairs(20)).expect(code=0, says="20 held out")
    text = "\n\n".join(f"line {number} of a text" for number in range(60))
    lm = ["--architecture", "lm", "--positions", "32", "--text", "-", "--steps", "3"]
    place.dtrain("train", "--run", "l", *TOY, *lm, stdin=text).expect(code=0, says="step 3 digest")
    place.dtrain("evaluate", "--run", "l", "--text", "-", stdin=text).expect(code=0, says="perplexity")
    place.dtrain("train", "--dry-run", *SMALL, "--corpus", "-", stdin=pairs(200)).expect(code=0, says="parameters")


# What a terminal would obey

ESCAPE = "\x1b]0;owned\x07\x1b[31m\x9b5m\u202egnp.exe"


def obeyed(result):
    found = re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", result.out + result.err)
    if found:
        raise Failure(f"{found[:4]!r} came through\n{result!s}")


@case("escape sequences of a corpus, of file names and of arguments never reach a terminal")
def text_escapes(place):
    lines = [(f"{a} {ESCAPE}", f"{b} {ESCAPE}") for a, b in sentences()]
    name = f"c{ESCAPE.replace('/', '')}.tsv"
    place.write(name, tsv(lines))
    obeyed(place.dtrain("train", "--corpus", name, "--run", f"a{ESCAPE}", *PERFECT[:-3], "--steps", "100",
                        seconds=60).expect(code=0, says=[r"u\{1B\}|U\+001B", "BLEU"]))
    for command in (["train", "--corpus", name + "x"], ["evaluate", "--run", f"a{ESCAPE}"], ["inspect", f"a{ESCAPE}"],
                    ["translate", "--run", ESCAPE], ["status", "--run", f"a{ESCAPE}"], ["--" + ESCAPE], [ESCAPE],
                    ["inspect", f"a{ESCAPE}", "--attention", ESCAPE], ["train", "--beam", ESCAPE],
                    ["train", "--dry-run", "--corpus", name, *TOY], ["evaluate", "--run", f"a{ESCAPE}", "--json"]):
        obeyed(place.dtrain(*command))
    place.write("bad.tsv", f"no tab {ESCAPE}\n")
    obeyed(place.dtrain("train", "--corpus", "bad.tsv").expect(code=65))
    # Translations are the product: every byte to a pipe, nothing that is obeyed to a terminal.
    piped = place.dtrain("translate", "--run", f"a{ESCAPE}", stdin=lines[0][0]).expect(code=0)
    if "\x1b" not in piped.out:
        raise Failure(f"the translation has lost its escape\n{piped!r}")
    master, terminal = pty.openpty()
    child = subprocess.run([place.product, "translate", "--run", f"a{ESCAPE}"], input=lines[0][0].encode(),
                           stdout=terminal, stderr=terminal, cwd=place.folder, env=place.environment({}), timeout=30)
    os.close(terminal)
    seen = os.read(master, 65536)
    os.close(master)
    if child.returncode or b"\x1b" in seen or b"u{1B}" not in seen:
        raise Failure(f"a terminal saw {seen!r}")


# Files that are something else

@case("packed files, UTF-16, Latin-1 and old line ends are named, with the command that helps")
def text_foreign(place):
    text = tsv(sentences(20))
    latin = text.encode("latin-1")
    files = {
        "c.gz": (gzip.compress(text.encode()), "packed with gzip, unpack it with gzip -dc c.gz"),
        "c.xz": (lzma.compress(text.encode()), "packed with xz, unpack it with xz -dc c.xz"),
        "c.zst": (b"\x28\xb5\x2f\xfd\x04\x00", "packed with zstd, unpack it with zstd -dc c.zst"),
        "u16": (text.encode("utf-16"), "UTF-16, convert it with iconv -f UTF-16LE -t UTF-8 u16"),
        "u16le": (text.encode("utf-16-le"), "iconv -f UTF-16LE -t UTF-8 u16le"),
        "u16be": (text.encode("utf-16-be"), "iconv -f UTF-16BE -t UTF-8 u16be"),
        "latin": (latin, "looks like ISO-8859-1, convert it with iconv -f ISO-8859-1 -t UTF-8 latin"),
        "windows": (latin.replace("î".encode("latin-1"), "œ".encode("cp1252")), "WINDOWS-1252"),
        "mac": (text.replace("\n", "\r").encode(), r"CR alone, convert it with tr '\\r' '\\n' < mac"),
        "nul": (text.encode() + b"a\0b\tc\n", "line 21, has a NUL at byte 2"),
        "torn": (text.encode() + b"caf\xc3\tx\n", "line 21, is not UTF-8 at byte 4"),
    }
    for name, (content, _) in files.items():
        place.write(name, content)
    with zipfile.ZipFile(place.path("c.zip"), "w") as archive:
        archive.writestr("c.tsv", text)
    with tarfile.open(place.path("c.tar"), "w") as archive:
        archive.add(place.write("inner.tsv", text), "inner.tsv")
    files["c.tar"] = (None, "a tar archive, unpack it with tar -xOf c.tar")
    files["c.zip"] = (None, "a ZIP archive, unpack it with unzip -p c.zip")
    place.write("plain.tsv", text)
    place.dtrain("train", "--run", "m", "--corpus", "plain.tsv", *TOY, "--steps", "2").expect(code=0)
    for name, (_, says) in files.items():
        for command in (["train", "--corpus", name], ["train", "--corpus", "plain.tsv", "--validation", name, *TOY],
                        ["evaluate", "--run", "m", "--corpus", name]):
            place.dtrain(*command).expect(code=65, says=says, sentence=True)
        if name not in ("latin", "windows", "nul", "torn"):
            place.dtrain("translate", "--run", "m", name).expect(code=65, says=says, sentence=True)
    quoted = place.write("my file's.gz", gzip.compress(text.encode()))
    place.dtrain("train", "--corpus", "my file's.gz").expect(code=65, says=r"gzip -dc .*'.*my file'\\''s.gz'")
    same(os.path.exists(quoted), True, "the file")


@case("translate says of each line what is wrong with it: NUL, encoding, bytes, tokens")
def text_translate_lines(place):
    place.write("c.tsv", pairs(200))
    train(place, "--corpus", "c.tsv").expect(code=0)
    lines = [b"one", b"a\0b", b"caf\xe9 noir", b"x" * 40_000, b"word " * 400, b"two"]
    result = place.dtrain("translate", "--run", "a", stdin=b"\n".join(lines)).expect(
        code=65, says=["line 2, has a NUL at byte 2", "line 3, is not UTF-8 at byte 4", "line 4, has more than 32,768 bytes",
                       "line 5, has [0-9]+ tokens where the model has 256 positions"])
    same(len(result.out.splitlines()), 6, "lines")
    same(len(result.err.splitlines()), 4, "sentences")


@case("generate gives the prompt back as it was given")
def text_prompt(place):
    text = "\n\n".join(f"line {number} of a text" for number in range(60))
    place.write("t.txt", text)
    place.dtrain("train", "--run", "a", *TOY, "--architecture", "lm", "--positions", "32", "--text", "t.txt",
                 "--steps", "3").expect(code=0)
    for prompt in ("日本 line", "  two  spaces", "a <s> b", "\u2585 line", "e\u0301", "line"):
        result = place.dtrain("generate", "--run", "a", "--prompt", prompt, "--length", "5").expect(code=0, not_says="⁇")
        if not result.out.startswith(prompt):
            raise Failure(f"{prompt!r} came back as {result.out!r}")


@case("BLEU of a script without blanks is counted by characters, and that is said")
def text_without_blanks(place):
    lines = [f"{number} cat sees dog\t{'猫' * (number % 4 + 1)}看见狗{'大' * (number % 3)}。" for number in range(80)]
    place.write("zh.tsv", "\n".join(lines) + "\n")
    place.write("en.tsv", tsv(sentences(80)))
    for name, says in (("zh", True), ("en", False)):
        phrase = "BLEU.*tok:zh"
        run = place.dtrain("train", "--corpus", f"{name}.tsv", "--validation", f"{name}.tsv", "--run", name, *TOY,
                           "--steps", "2").expect(code=0, says=phrase if says else "BLEU")
        told = place.dtrain("evaluate", "--run", name, "--corpus", f"{name}.tsv").expect(code=0)
        for result in (run, told):
            if (re.search(phrase, result.out) is not None) != says:
                raise Failure(f"{name}\n{result}")
