"""transformers: AutoTokenizer and AutoModelFor… load what dtrain exports, offline. Logits are within 1e-4 of those of
another reader in double precision; greedy texts are dtrain's. A Marian model of transformers' own is imported, computes
what it did, comes back byte for byte, is trained on and goes out again."""
import json
import os
import unicodedata

import opus_shaped
from rows import DEMO, PROSE, SMALL, Wrong, row

#: What a logit may differ by.
NEAR = 1e-4
MARIAN = ("--compatible-with", "marian")
LM = ("--architecture", "lm", "--positions", "64")
LLAMA = (*LM, "--normalisation", "rms", "--position-encoding", "rotary", "--activation", "swiglu")
TRANSLATORS = [
    ("Marian", MARIAN),
    ("Marian, ReLU, output bias, target and output tied",
     (*MARIAN, "--activation", "relu", "--output-bias", "true", "--tying", "decoder")),
    ("Marian, GELU, untied, 3 + 1 layers",
     (*MARIAN, "--activation", "gelu", "--tying", "none", "--encoder-layers", "3", "--decoder-layers", "1")),
    ("Marian, tanh", (*MARIAN, "--activation", "tanh")),
    ("Marian, sigmoid", (*MARIAN, "--activation", "sigmoid")),
]
TEXTS = [
    ("GPT-2, GELU, learned positions", (*LM, "--activation", "gelu", "--position-encoding", "learned")),
    ("GPT-2, ReLU, learned positions, untied",
     (*LM, "--activation", "relu", "--position-encoding", "learned", "--tying", "none")),
    ("GPT-2, SiLU, sinusoidal, shared query and key", (*LM, "--activation", "silu", "--share-query-key")),
    ("GPT-2, tanh, no positions", (*LM, "--activation", "tanh", "--position-encoding", "none")),
    ("Llama", LLAMA),
    ("Llama, untied, shared query and key", (*LLAMA, "--tying", "none", "--share-query-key")),
]
REFUSED = [
    ("a translator with pre norm", (), "--norm pre"),
    ("a translator with post norm and a final norm", ("--norm", "post"), "--final-norm true"),
    ("a translator with rotary positions",
     ("--norm", "post", "--final-norm", "false", "--position-encoding", "rotary"), "--position-encoding rotary"),
    ("lm with post norm", (*LM, "--norm", "post"), "--norm post"),
    ("lm with relative positions", (*LM, "--position-encoding", "relative"), "--position-encoding relative"),
    ("lm with LayerNorm and rotary positions", (*LM, "--position-encoding", "rotary"), "--normalisation layer"),
    ("lm with RMSNorm and sinusoids", (*LM, "--normalisation", "rms"), "--normalisation rms"),
    ("lm with an output bias", (*LM, "--output-bias", "true"), "--output-bias true"),
]
IMPORTED = [
    ("an OPUS-shaped model", {}),
    ("an OPUS-shaped model, NFKC, ReLU", dict(rule="nmt_nfkc", activation="relu", d=32, heads=4, seed=2)),
    ("a model with target and output tied", dict(tying="decoder", seed=3)),
    ("an untied model, GELU", dict(tying="none", activation="gelu", seed=4)),
]


def load(folder, kind):
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    import transformers
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    model = getattr(transformers, f"AutoModelFor{kind}").from_pretrained(folder).eval()
    return model, transformers.AutoTokenizer.from_pretrained(folder)


def farthest(found, expected):
    """What the logits of an own model, of marks that are said, differ by; raises where that is too much."""
    worst = (found.double() - expected).abs().max().item()
    if not worst < NEAR:
        raise Wrong(f"logits differ by {worst:.1e}")
    return worst


def translator(bench):
    import torch
    net, tokenizer = load(bench.export("transformers"), "Seq2SeqLM")
    model = bench.reference()
    lines = [line for line in bench.lines(4401 if bench.row.is_demo else 40) if bench.words(line)]
    longest = net.config.max_position_embeddings
    lines = [line for line in lines if len(bench.words(line)) < longest]
    tokens, worst = [], 0.0
    for place, (line, text) in enumerate(zip(lines, bench.translated(lines))):
        ids = tokenizer(" ".join(unicodedata.normalize("NFC", line).split())).input_ids
        if ids != bench.ids(bench.words(line)) + [2]:
            raise Wrong(f"{line!r} is split otherwise")
        with torch.no_grad():
            if place % max(1, len(lines) // 40) == 0:
                decoder = [1] + bench.ids(bench.words(text))[:longest - 1]
                logits = net(input_ids=torch.tensor([ids]), decoder_input_ids=torch.tensor([decoder])).logits[0]
                worst = max(worst, farthest(logits[:, 2:], model.logits(ids[:-1], decoder)[:, 2:]))
            out = net.generate(torch.tensor([ids]), max_length=None, max_new_tokens=min(2 * len(ids) + 10, longest - 1))[0]
        said = [i for i in out.tolist()[1:] if i != 2]
        # MarianTokenizer leaves out unknown pieces, and spaces at the ends.
        if 3 not in said and bench.pieces.decode(said).strip() != tokenizer.decode(said):
            raise Wrong(f"{said} is another text")
        tokens.append(tokenizer.convert_ids_to_tokens(said))
    close = bench.judged(lines, tokens, model)
    return f"logits within {worst:.0e}, {len(lines) - close} of {len(lines)} texts equal, {close} within a logit of 1e-3"


def language_model(bench):
    import torch
    net, tokenizer = load(bench.export("transformers"), "CausalLM")
    model = bench.reference()
    with open(PROSE, encoding="utf-8") as file:
        words = " ".join(file.read().split()).split()[2000:]
    worst, same = 0.0, 0
    for place in range(30):
        passage = " ".join(words[40 * place:40 * place + 25])
        ids = tokenizer(passage).input_ids
        if ids != [1] + bench.ids(bench.words(passage)):
            raise Wrong(f"{passage!r} is split otherwise")
        prompt = " ".join(words[40 * place:40 * place + 2 + place % 5])
        with torch.no_grad():
            logits = net(input_ids=torch.tensor([ids[:64]])).logits[0]
            worst = max(worst, farthest(logits[:, 2:], model.logits(None, ids[:64])[:, 2:]))
            start = tokenizer(prompt, return_tensors="pt")
            out = net.generate(**start, max_length=None, max_new_tokens=20)[0].tolist()
        said = [i for i in out[1:] if i != 2]
        done = bench.dtrain("generate", "--run", bench.run, "--prompt", prompt, "--temperature", "0", "--length", "20")
        if tokenizer.decode(out, skip_special_tokens=True) != done.stdout.rstrip("\n"):
            gap = model.gap(None, bench.ids(bench.words(done.stdout)), start.input_ids.shape[1] - 1)
            raise Wrong(f"{tokenizer.decode(out)!r} where dtrain says {done.stdout!r} (gap {gap}, {said})")
        same += 1
    return f"logits within {worst:.0e}, {same} of 30 texts equal"


def refused(phrase):
    def run(bench):
        words = bench.export("transformers", code=65)
        if phrase not in words:
            raise Wrong(words)
        return "refused", words
    return run


def imported(options):
    def run(bench):
        import torch
        from safetensors.torch import load_file
        name = f"opus-{len(os.listdir(bench.folder))}"
        made = os.path.join(bench.folder, name)
        opus_shaped.make(made, **options)
        bench.dtrain("import", made, "-o", name + "-run")
        bench.runs[bench.row.choice] = os.path.join(bench.folder, name + "-run")
        worst, same = compared(bench, made)
        back = bench.export("transformers")
        one, two = (load_file(os.path.join(folder, "model.safetensors")) for folder in (made, back))
        if one.keys() != two.keys() or not all(torch.equal(one[key], two[key]) for key in one):
            raise Wrong("the tensors that come back are others")
        for file in ("source.spm", "target.spm", "vocab.json"):
            with open(os.path.join(made, file), "rb") as left, open(os.path.join(back, file), "rb") as right:
                if left.read() != right.read():
                    raise Wrong(f"{file} comes back as another")
        bench.dtrain("train", "--from", name + "-run", "--run", name + "-tuned", "--steps", "40", "--learning-rate", "0.003",
                     "--warmup", "20", "--batch-tokens", "1500", "--shards", "2", "--validate-every", "0", "--threads", "1",
                     "--workers", "2", *bench.excerpt())
        bench.runs[bench.row.choice] = os.path.join(bench.folder, name + "-tuned")
        far, tuned = compared(bench, made)
        return (f"logits within {worst:.0e}, {same} texts equal; back byte for byte; trained on and exported: "
                f"logits within {far:.0e}, {tuned} texts equal")
    return run


def compared(bench, made):
    """Holds the export of an imported model against dtrain; returns how far logits are and how many texts are equal."""
    import torch
    net, tokenizer = load(bench.export("transformers"), "Seq2SeqLM")
    model, ids = bench.reference(), opus_shaped.ids(made)
    start, longest = net.config.decoder_start_token_id, net.config.max_position_embeddings
    with open(DEMO, encoding="utf-8") as file:
        pairs = [line.rstrip("\n").split("\t") for line in file if len(line) < 60][::50][:40]
    ours = bench.dtrain("translate", "--run", bench.run, "--beam", 1, input="".join(p[0] + "\n" for p in pairs)).stdout
    said = [i for i in range(len(ids)) if i != start]
    worst, same = 0.0, 0
    for (source, target), text in zip(pairs, ours.split("\n")):
        s, t = tokenizer(source).input_ids, [start] + tokenizer(text_target=target).input_ids[:-1]
        with torch.no_grad():
            logits = net(input_ids=torch.tensor([s]), decoder_input_ids=torch.tensor([t])).logits[0]
            own = model.logits([ids[i] for i in s[:-1]], [ids[i] for i in t])
            worst = max(worst, farthest(logits[:, said], own[:, [ids[i] for i in said]]))
            out = net.generate(torch.tensor([s]), max_length=None, max_new_tokens=min(2 * len(s) + 10, longest - 1))[0]
        same += tokenizer.decode(out, skip_special_tokens=True) == text
    if same < len(pairs) - 1:
        raise Wrong(f"only {same} of {len(pairs)} texts are dtrain's")
    return worst, f"{same} of {len(pairs)}"


for name, choice in TRANSLATORS:
    row(f"transformers, {name}", choice)(translator)
for name, choice in TEXTS:
    row(f"transformers, {name}", choice)(language_model)
for name, choice, phrase in REFUSED:
    row(f"transformers, {name}", choice)(refused(phrase))
for name, options in IMPORTED:
    row(f"import, {name}", ("import", name))(imported(options))
