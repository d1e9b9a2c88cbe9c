"""How a row of check-exports is written:

    @row("ctranslate2 float32, post norm", choice=("--norm", "post"))
    def _(bench):
        folder = bench.export("ctranslate2")        # of the row's small model; bench.run is its run
        ...
        return bench.judged(lines, texts, tokens)   # a text for the table; raise Wrong(...) where something differs

Modules import what they need of other packages inside their rows, so that --list needs none.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata

HERE = os.path.dirname(os.path.abspath(__file__))
DEMO = os.path.join(HERE, "..", "..", "Sources", "CEmbeddedText", "demo.en-fr.tsv")
PROSE = os.path.join(HERE, "..", "..", "Sources", "CEmbeddedText", "botchan.txt")
SMALL = ("--d-model 32 --layers 2 --heads 4 --d-ff 64 --vocabulary 400 --batch-tokens 1500 --shards 2 --steps 30 "
         "--learning-rate 0.01 --warmup 10 --dropout 0 --seed 7 --workers 1 --threads 1 --validate-every 0").split()
#: What dtrain's two best logits may differ by where another program says another word.
CLOSE = 1e-3
#: The share of the lines of which that may be so.
FEW = 1e-3


class Wrong(Exception):
    """Something that does not hold."""


class Row:
    def __init__(self, name, choice, is_demo, function):
        self.name, self.choice, self.is_demo, self.function = name, tuple(choice), is_demo, function


#: All rows, in the order of their files.
ALL = []


def row(name, choice=(), demo=False):
    def add(function):
        ALL.append(Row(name, choice, demo, function))
        return function
    return add


class Bench:
    """The model of a row, and dtrain to ask about it."""
    runs = {}
    texts = {}

    def __init__(self, row, product, demo, folder):
        self.row, self.product, self.demo, self.folder = row, product, demo, folder
        self.is_text = "lm" in row.choice

    def dtrain(self, *words, input=None, code=0):
        done = subprocess.run([self.product, *map(str, words)], input=input, capture_output=True, text=True,
                              cwd=self.folder, timeout=1800)
        if done.returncode != code:
            raise Wrong(f"dtrain {' '.join(map(str, words))} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
        return done

    @property
    def run(self):
        """The run of the row's model; trained at the first asking."""
        key = "demo" if self.row.is_demo else self.row.choice
        if key not in Bench.runs:
            if self.row.is_demo:
                Bench.runs[key] = self.demo or self.trained("demo", ["--workers", "2"])
            else:
                text = self.excerpt()
                Bench.runs[key] = self.trained(f"run-{len(Bench.runs)}", [*SMALL, *text, *self.row.choice])
        return Bench.runs[key]

    def trained(self, name, options):
        self.dtrain("train", "--run", name, *options)
        return os.path.join(self.folder, name)

    def excerpt(self):
        """300 pairs, or some prose for a language model."""
        path = os.path.join(self.folder, "text.txt" if self.is_text else "pairs.tsv")
        with open(PROSE if self.is_text else DEMO, encoding="utf-8") as source:
            lines = source.readlines()[:600 if self.is_text else 300]
        with open(path, "w", encoding="utf-8") as excerpt:
            excerpt.writelines(lines)
        return ["--text" if self.is_text else "--corpus", path]

    def export(self, form, *options, code=0, run=None):
        """Exports the row's model, or another run's; the same again must give the same bytes. Returns the folder."""
        run = run or self.run
        folder = tempfile.mkdtemp(dir=self.folder)
        done = self.dtrain("export", run, "--to", form, "-o", folder, *options, code=code)
        if code:
            if os.listdir(folder) or len(done.stderr.strip().splitlines()) != 1:
                raise Wrong(f"a refusal wrote {os.listdir(folder)} and said {done.stderr}")
            return done.stderr.strip()
        again = folder + "-again"
        self.dtrain("export", run, "--to", form, "-o", again, *options)
        if subprocess.run(["diff", "-r", folder, again], capture_output=True).returncode:
            raise Wrong(f"two exports differ: {folder} and {again}")
        shutil.rmtree(again)
        if subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, capture_output=True).returncode:
            raise Wrong(f"SHA256SUMS of {folder} does not hold")
        return folder

    def reference(self, numbers="float32"):
        """The model in double precision, read from the safetensors export."""
        import reference
        return reference.Model(self.export("safetensors"), numbers)

    @property
    def pieces(self):
        if not hasattr(self, "_pieces"):
            import sentencepiece
            self._pieces = sentencepiece.SentencePieceProcessor(
                model_file=os.path.join(self.export("safetensors"), "tokenizer.model"))
        return self._pieces

    def words(self, line):
        """The pieces of a line, as dtrain reads it."""
        return self.pieces.encode(" ".join(unicodedata.normalize("NFC", line).split()), out_type=str)

    def lines(self, count):
        """Sources of the demo, evenly spread; all of them for None."""
        with open(DEMO, encoding="utf-8") as file:
            lines = [line.split("\t")[0].strip() for line in file]
        return lines if count is None else lines[:: len(lines) // count][:count]

    def random_lines(self, lengths, seed=22):
        """A line of random words for each number of tokens; each word is a piece, or two that do not join."""
        dice = random.Random(seed)
        known = [self.pieces.id_to_piece(i) for i in range(4, self.pieces.vocab_size())]
        whole = [piece for piece in known if piece != "▁" and self.words(piece.replace("▁", " ")) == [piece]]
        ends = [piece for piece in known if not piece.startswith("▁")]
        found = []
        for length in lengths:
            tokens = []
            while len(tokens) < length:
                word = [dice.choice(whole)]
                if len(tokens) + 1 < length and dice.random() < 0.3:
                    word.append(dice.choice(ends))
                    if self.words("".join(word).replace("▁", " ")) != word:
                        continue
                tokens += word
            found.append("".join(tokens).replace("▁", " ").strip())
        if [len(self.words(line)) for line in found] != list(lengths):
            raise Wrong("random lines have other lengths than they were to have")
        return found

    def translated(self, lines):
        """dtrain's greedy translations."""
        key = (self.run, tuple(lines))
        if key not in Bench.texts:
            done = self.dtrain("translate", "--run", self.run, "--beam", 1, input="\n".join(lines) + "\n")
            Bench.texts[key] = done.stdout.split("\n")[:-1]
        return Bench.texts[key]

    def judged(self, lines, tokens, model):
        """Holds translations against dtrain's: equal texts, or another word where dtrain's own two best logits are
        within CLOSE, in at most FEW of the lines. `tokens`: pieces of each line. Returns the number that differ."""
        ours = self.translated(lines)
        close = 0
        for line, own, other in zip(lines, ours, tokens, strict=True):
            if self.pieces.decode(other) == own:
                continue
            gap = model.gap(self.ids(self.words(line)), self.ids(other), ended=len(other) < self.limit(line))
            if gap is None or gap > CLOSE:
                raise Wrong(f"{line!r} is {self.pieces.decode(other)!r} where dtrain says {own!r} (gap {gap})")
            close += 1
        if close > max(1, FEW * len(lines)):
            raise Wrong(f"{close} of {len(lines)} lines differ")
        return close

    def limit(self, line):
        """The most pieces that dtrain says for a line: twice the source's, end mark counted, and ten."""
        return min(2 * (len(self.words(line)) + 1) + 10, 255)

    def ids(self, tokens):
        return [self.pieces.piece_to_id(token) for token in tokens]


def run(rows, product, demo, keep):
    folder = keep or tempfile.mkdtemp(prefix="check-exports-")
    os.makedirs(folder, exist_ok=True)
    bad = 0
    print("| format and choice | verdict | seen |\n|---|---|---|")
    try:
        for row in rows:
            began = time.monotonic()
            try:
                seen, verdict = row.function(Bench(row, product, demo, folder)), "holds"
                if isinstance(seen, tuple):
                    verdict, seen = seen
            except ImportError as error:
                print(f"check-exports: {error}", file=sys.stderr)
                return 69
            except Exception as error:
                bad, verdict, seen = bad + 1, "**WRONG**", f"{type(error).__name__}: {error}".replace("\n", " ")
            print(f"| {row.name} | {verdict} | {seen} |", flush=True)
            print(f"{row.name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(rows) - bad} of {len(rows)} rows hold", file=sys.stderr)
    return 1 if bad else 0
