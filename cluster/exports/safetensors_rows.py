"""safetensors: a reader of its own, in double precision, finds the model that dtrain translates with."""
from rows import CLOSE, Wrong, row

CHOICES = [
    ("defaults", ()), ("no residual", ("--residual", "false")), ("batch norm", ("--normalisation", "batch")),
    ("post norm", ("--norm", "post")), ("relative positions", ("--position-encoding", "relative")),
    ("rms swiglu rotary, untied, shared query and key",
     ("--normalisation", "rms", "--activation", "swiglu", "--position-encoding", "rotary", "--tying", "none",
      "--share-query-key")),
]


def read(bench):
    """dtrain's texts, encoded again, are what the reader finds likeliest; a text may stand for other pieces."""
    model = bench.reference()
    lines = [line for line in bench.lines(60) if bench.words(line)]
    same = 0
    for line, text in zip(lines, bench.translated(lines), strict=True):
        words = bench.ids(bench.words(text))
        gap = model.gap(bench.ids(bench.words(line)), words)
        same += gap is None or gap <= CLOSE or len(words) >= min(2 * len(bench.words(line)) + 12, 255)
    if same < 0.8 * len(lines):
        raise Wrong(f"only {same} of {len(lines)} texts are the reader's best")
    return f"{same} of {len(lines)} texts are the reader's best, piece by piece"


for name, choice in CHOICES:
    row(f"safetensors, {name}", choice)(read)
row("safetensors, demo", demo=True)(read)
