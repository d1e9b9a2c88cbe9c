"""CTranslate2: the package loads what is written and says what dtrain says."""
import os
import struct

from rows import CLOSE, Wrong, row

CHOICES = [
    ("defaults: pre layer norm, relu, sinusoidal, tied", ()),
    ("post norm", ("--norm", "post")),
    ("no norm", ("--norm", "none")),
    ("rms norm", ("--normalisation", "rms")),
    ("post rms norm", ("--norm", "post", "--normalisation", "rms")),
    ("post norm but for the last, biased logits",
     ("--norm", "post", "--final-norm", "false", "--output-bias", "true")),
    ("gelu", ("--activation", "gelu")),
    ("silu", ("--activation", "silu")),
    ("swiglu", ("--activation", "swiglu")),
    ("tanh", ("--activation", "tanh")),
    ("sigmoid", ("--activation", "sigmoid")),
    ("learned positions", ("--position-encoding", "learned")),
    ("relative positions", ("--position-encoding", "relative")),
    ("rotary positions", ("--position-encoding", "rotary")),
    ("no positions", ("--position-encoding", "none")),
    ("tying decoder", ("--tying", "decoder")),
    ("tying none", ("--tying", "none")),
    ("shared query and key", ("--share-query-key",)),
    ("rms swiglu rotary, untied, shared query and key",
     ("--normalisation", "rms", "--activation", "swiglu", "--position-encoding", "rotary", "--tying", "none",
      "--share-query-key")),
    ("lm", ("--architecture", "lm")),
    ("lm post norm gelu learned", ("--architecture", "lm", "--norm", "post", "--activation", "gelu",
                                   "--position-encoding", "learned")),
    ("lm rms swiglu rotary", ("--architecture", "lm", "--normalisation", "rms", "--activation", "swiglu",
                              "--position-encoding", "rotary")),
    ("lm relative, untied", ("--architecture", "lm", "--position-encoding", "relative", "--tying", "none")),
    ("lm no norm, no positions", ("--architecture", "lm", "--norm", "none", "--position-encoding", "none")),
]
REFUSED = [
    ("no residual", ("--residual", "false"), "--residual false"),
    ("batch norm", ("--normalisation", "batch"), "--normalisation batch"),
    ("lm no residual", ("--architecture", "lm", "--residual", "false"), "--residual false"),
]
#: Tokens of the random inputs: of the demo's model, and of the small ones.
LENGTHS = list(range(1, 256))
SOME = [1, 2, 3, 5, 9, 17, 33, 64, 65, 100, 127, 128, 129, 200, 254, 255]
#: The text of the models that `swift test` trains.
TEXT = "".join(
    f"{article} {animal} {verb} quite well\t{its} {name} {act} assez bien\n"
    for verbs, article, its in (((("sleeps", "dort"), ("eats", "mange")), "the", "le"),
                                ((("sleeps", "dort"), ("eats", "mange")), "a", "un"),
                                ((("runs", "court"),), "the", "le"), ((("runs", "court"),), "a", "un"))
    for verb, act in verbs for animal, name in (("cat", "chat"), ("dog", "chien")))


def greedy(bench, folder, lines, compute="float32"):
    """The engine's greedy pieces, cut off where dtrain ends at the latest."""
    import ctranslate2
    engine = ctranslate2.Translator(folder, compute_type=compute, inter_threads=1, intra_threads=1)
    sources = [bench.words(line) for line in lines]
    found = [[] for _ in lines]
    full = [place for place, source in enumerate(sources) if source]
    results = engine.translate_batch(
        [sources[place] for place in full], beam_size=1, max_decoding_length=255, min_decoding_length=0,
        max_batch_size=64)
    for place, result in zip(full, results, strict=True):
        found[place] = result.hypotheses[0][:bench.limit(lines[place])]
    return found


def most(bench, folder, model, lines, outputs, compute="float32"):
    """The largest difference of log P of a word, teacher-forced, between the engine and the model."""
    import ctranslate2
    outputs = [output[:254] for output in outputs]
    if model.is_text:
        engine = ctranslate2.Generator(folder, compute_type=compute, inter_threads=1, intra_threads=1)
        scored = [result.log_probs for result in engine.score_batch([["<s>"] + output + ["</s>"] for output in outputs])]
        sources = [[] for _ in outputs]
    else:
        engine = ctranslate2.Translator(folder, compute_type=compute, inter_threads=1, intra_threads=1)
        sources = [bench.words(line) for line in lines]
        scored = [result.log_probs for result in engine.score_batch(sources, outputs)]
    largest = 0
    for source, output, theirs in zip(sources, outputs, scored, strict=True):
        ours = model.log_probabilities(bench.ids(source), bench.ids(output))
        if len(ours) != len(theirs):
            raise Wrong(f"{len(theirs)} log-probabilities of {len(ours)}")
        largest = max(largest, *(abs(a - b) for a, b in zip(ours, theirs)))
    return largest


def translator(bench, numbers="float32"):
    folder = bench.export("ctranslate2", "--type", numbers)
    model = bench.reference(numbers)
    large = bench.row.is_demo
    lines = bench.lines(400 if large else 40) + bench.random_lines(LENGTHS if large else SOME)
    tokens = greedy(bench, folder, lines)
    differ = bench.judged(lines, tokens, model) if numbers == "float32" else followed(bench, lines, tokens, model)
    largest = most(bench, folder, model, lines[::4], tokens[::4])
    if largest > 1e-3:
        raise Wrong(f"log P differs by {largest:.2g}")
    return f"{len(lines)} lines, {differ} differ; log P within {largest:.1g}"


def followed(bench, lines, tokens, model):
    """With rounded weights dtrain's texts need not be met, but those of the rounded model."""
    close = 0
    for line, output in zip(lines, tokens, strict=True):
        gap = model.gap(bench.ids(bench.words(line)), bench.ids(output), ended=len(output) < bench.limit(line))
        if gap is not None and gap > CLOSE:
            raise Wrong(f"{line!r} is {bench.pieces.decode(output)!r}, not the rounded model's best by {gap:.3g}")
        close += gap is not None
    return close


def generator(bench, numbers="float32"):
    import ctranslate2
    folder = bench.export("ctranslate2", "--type", numbers)
    model = bench.reference(numbers)
    lines = bench.random_lines(SOME[:-2])
    engine = ctranslate2.Generator(folder, compute_type="float32", inter_threads=1, intra_threads=1)
    close = 0
    for line in lines:
        prompt = bench.words(line)
        start = ["<s>"] + prompt
        more = engine.generate_batch(
            [start], max_length=20, min_length=0, sampling_topk=1, include_prompt_in_result=False)[0].sequences[0]
        own = bench.dtrain("generate", "--run", bench.run, "--temperature", 0, "--length", 20, "--prompt", line)
        if own.stdout.rstrip("\n") == bench.pieces.decode(prompt + more):
            continue
        gap = model.gap([], bench.ids(prompt + more), first=len(prompt))
        if gap is None or gap > CLOSE:
            raise Wrong(f"{line!r} goes on as {bench.pieces.decode(more)!r} where dtrain says {own.stdout!r} (gap {gap})")
        close += 1
    if close > 1:
        raise Wrong(f"{close} of {len(lines)} prompts go on otherwise")
    largest = most(bench, folder, model, None, [bench.words(line) for line in bench.random_lines(SOME[:-1])])
    if largest > 1e-3:
        raise Wrong(f"log P differs by {largest:.2g}")
    return f"{len(lines)} prompts, {close} differ; log P within {largest:.1g}"


def refused(bench, phrase):
    sentence = bench.export("ctranslate2", code=65)
    if phrase not in sentence:
        raise Wrong(f"the refusal says {sentence!r}")
    return "refused", sentence.removeprefix("dtrain: ")


def binary(path):
    """The variables and aliases of a model.bin: a reader of its own."""
    import numpy
    types = [("float32", 4), ("int8", 1), ("int16", 2), ("int32", 4), ("float16", 2), ("bfloat16", 2)]
    with open(path, "rb") as file:
        data = file.read()
    place = 0

    def take(form):
        nonlocal place
        value, = struct.unpack_from("<" + form, data, place)
        place += struct.calcsize("<" + form)
        return value

    def text():
        nonlocal place
        count = take("H")
        value = data[place:place + count - 1].decode()
        place += count
        return value

    version, name, revision = take("I"), text(), take("I")
    found = {}
    for _ in range(take("I")):
        key = text()
        shape = [take("I") for _ in range(take("B"))]
        kind, size = types[take("B")]
        count = take("I")
        value = numpy.frombuffer(data[place:place + count], "uint16" if kind == "bfloat16" else kind).reshape(shape)
        if value.size * size != count:
            raise Wrong(f"{key} has {count} bytes")
        place += count
        found[key] = (kind, value)
    aliases = {text(): text() for _ in range(take("I"))}
    if place != len(data) or list(found) != sorted(found) or version != 6:
        raise Wrong(f"{path} is no model of version 6")
    return name, revision, found, aliases


def rounded(bench, numbers):
    """The smaller weights are those that the package makes of the float32 export, bit for bit. Returns the folder."""
    import numpy
    folder = bench.export("ctranslate2", "--type", numbers)
    *names, whole, aliases = binary(os.path.join(bench.export("ctranslate2"), "model.bin"))
    *same, small, others = binary(os.path.join(folder, "model.bin"))
    expected = {}
    for key, (kind, value) in whole.items():
        if numbers == "int8" and value.ndim == 2 and key.endswith("/weight"):
            expected.update(quantised(key, value))
        elif numbers == "bfloat16" and kind == "float32" and value.ndim:
            import torch
            halves = torch.from_numpy(value.copy()).to(torch.bfloat16).view(torch.int16).numpy()
            expected[key] = ("bfloat16", halves.view("uint16"))
        else:
            expected[key] = (kind, value)
    if (names, aliases, set(expected)) != (same, others, set(small)):
        raise Wrong("the two exports have other names")
    for key, (kind, value) in expected.items():
        if small[key][0] != kind or not numpy.array_equal(small[key][1], value):
            raise Wrong(f"{key} is not what the package makes of it")
    return folder


def quantised(key, value):
    """A matrix as the package's own converter makes int8 of it."""
    from ctranslate2.specs import common_spec, model_spec
    spec = common_spec.LinearSpec()
    spec.weight = model_spec.NumpyVariable(value.copy())
    spec._quantize("int8")
    return {key: ("int8", spec.weight.numpy()), key + "_scale": ("float32", spec.weight_scale.numpy())}


def halves(bench):
    rounded(bench, "bfloat16")
    return translator(bench, "bfloat16")


def whole_numbers(bench):
    """The engine rounds activations, too, so that texts may differ; how many do is shown."""
    small = rounded(bench, "int8")
    if not bench.row.is_demo:
        # Texts of a hardly trained model say nothing: its best words are too close to each other.
        greedy(bench, small, bench.lines(20), "int8")
        return "weights as the package rounds them, loaded"
    lines = bench.lines(None)
    tokens = greedy(bench, small, lines, "int8")
    ours = bench.translated(lines)
    same = sum(bench.pieces.decode(output) == own for output, own in zip(tokens, ours, strict=True))
    return f"weights as the package rounds them; {same} of {len(lines)} lines as dtrain's float32"


def demo(bench):
    folder = bench.export("ctranslate2")
    model = bench.reference()
    lines = bench.lines(None) + bench.random_lines(LENGTHS)
    tokens = greedy(bench, folder, lines)
    differ = bench.judged(lines, tokens, model)
    largest = most(bench, folder, model, lines[::40], tokens[::40])
    return f"{len(lines)} lines, {differ} differ; log P within {largest:.1g}"


def golden():
    """Choices, number type and SHA-256 of each model.bin that `swift test` knows."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Tests", "Golden", "exports.tsv")
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]


def stored(bench, choices, numbers, digest):
    """The model of `swift test`'s golden, made by commands: the same bytes, and the package loads them."""
    import hashlib
    import ctranslate2
    text = os.path.join(bench.folder, "golden.tsv")
    with open(text, "w", encoding="utf-8") as file:
        file.write(TEXT)
    options = [f"--{key}" if value == "true" and key == "share-query-key" else f"--{key} {value}"
               for key, value in (choice.split("=") for choice in choices.split()) if key != "default"]
    key = ("golden", choices)
    if key not in bench.runs:
        bench.runs[key] = bench.trained(
            f"golden-{len(bench.runs)}",
            f"--corpus {text} --validation {text} --vocabulary 48 --d-model 32 --layers 1 --d-ff 64 --heads 2 --dropout 0 "
            f"--positions 24 --clip-norm 1000 --batch-tokens 200 --learning-rate 0.01 --warmup 20 --shards 2 --steps 3 --workers 1 "
            f"--threads 1 --validate-every 0 {' '.join(options)}".split())
    folder = bench.export("ctranslate2", "--type", numbers, run=bench.runs[key])
    with open(os.path.join(folder, "model.bin"), "rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != digest:
        raise Wrong(f"model.bin has {found}, stored is {digest}")
    engine = ctranslate2.Translator(folder, compute_type="int8" if numbers == "int8" else "float32")
    engine.translate_batch([["▁the", "▁c"]], max_decoding_length=20)
    return f"SHA-256 {digest[:12]}…, loaded"


for name, choice in CHOICES:
    row(f"ctranslate2 float32, {name}", choice)(generator if "lm" in choice else translator)
for name, choice, phrase in REFUSED:
    row(f"ctranslate2, {name}", choice)(lambda bench, phrase=phrase: refused(bench, phrase))
for name, choice in (CHOICES[0], CHOICES[2], CHOICES[18]):
    row(f"ctranslate2 bfloat16, {name}", choice)(halves)
    row(f"ctranslate2 int8, {name}", choice)(whole_numbers)
for line in golden():
    row(f"stored golden, {line[0]} as {line[1]}")(lambda bench, line=line: stored(bench, *line))
row("ctranslate2 float32, demo", demo=True)(demo)
row("ctranslate2 bfloat16, demo", demo=True)(halves)
row("ctranslate2 int8, demo", demo=True)(whole_numbers)
