"""Weights from dtrain to PyTorch and back: both programs must find the same loss in the same weights.

    swift build -c release
    python pytorch_both_ways.py [.build/release/dtrain]        needs torch, safetensors and sentencepiece

For every choice that PyTorch has (norm pre and post; relu, gelu, silu, sigmoid, tanh; depths apart; encoder-decoder and
lm) it trains dtrain for a few steps, loads model.safetensors without embedding.weight strictly into nn.Transformer
(nn.TransformerEncoder for lm), and compares the loss of the held-out text with `dtrain evaluate`. Then it draws weights
with PyTorch, writes them as safetensors, starts dtrain from them (--from) with a learning rate too small to move a
float, and compares again. Nothing of dtrain needs this script or PyTorch.
"""
import json, math, os, subprocess, sys, tempfile, unicodedata
import sentencepiece, torch, torch.nn as nn, torch.nn.functional as F
from safetensors.torch import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../.build/release/dtrain"))
PAIRS = os.path.join(HERE, "../../Sources/CEmbeddedText/demo.en-fr.tsv")
D, FF, HEADS = 32, 64, 4
ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
# architecture, norm, activation, encoder layers, decoder layers
CASES = [("encoder-decoder", "pre", "relu", 2, 2), ("encoder-decoder", "post", "gelu", 1, 2),
         ("encoder-decoder", "pre", "silu", 3, 1), ("encoder-decoder", "post", "sigmoid", 1, 1),
         ("lm", "pre", "tanh", 2, 2), ("lm", "post", "gelu", 1, 1)]


def dtrain(*words):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
    if done.returncode: sys.exit(f"dtrain {' '.join(words)}: {done.stderr}")
    return done.stdout


def module(kind, norm, activation, encoder, decoder):
    f = ACTIVATIONS[activation]
    if kind == "lm":
        layer = nn.TransformerEncoderLayer(D, HEADS, FF, 0.0, f, batch_first=True, norm_first=norm == "pre")
        return nn.TransformerEncoder(layer, decoder, nn.LayerNorm(D), enable_nested_tensor=False).eval()
    return nn.Transformer(D, HEADS, encoder, decoder, FF, 0.0, f, batch_first=True, norm_first=norm == "pre").eval()


def embed(table, ids):
    place = torch.arange(len(ids)).unsqueeze(1)
    rate = torch.exp(torch.arange(0, D, 2) * (-math.log(10000.0) / D))
    positions = torch.zeros(len(ids), D)
    positions[:, 0::2], positions[:, 1::2] = torch.sin(place * rate), torch.cos(place * rate)
    return (table[ids] * math.sqrt(D) + positions).unsqueeze(0)


def loss(kind, net, table, samples):
    total, count = 0.0, 0
    with torch.no_grad():
        for source, target, labels in samples:
            mask = torch.full((len(target), len(target)), float("-inf")).triu(1)
            if kind == "lm": h = net(embed(table, target), mask=mask)
            else: h = net(embed(table, source), embed(table, target), tgt_mask=mask)
            total += float(F.cross_entropy((h @ table.T)[0], torch.tensor(labels), reduction="sum"))
            count += len(labels)
    return total / count


def samples(kind, text, pieces, positions):
    """What `dtrain evaluate` makes of a file: pairs, or windows of a text of one passage."""
    if kind == "lm":
        ids = pieces.encode(" ".join(open(text, encoding="utf8").read().split())) + [2]
        cut = [ids[i:i + positions] for i in range(0, len(ids), positions)]
        return [([], [1] + w[:-1], w) for w in cut]
    out = []
    for line in open(text, encoding="utf8"):
        source, target = (pieces.encode(unicodedata.normalize("NFC", t.strip())) for t in line.split("\t"))
        out.append((source + [2], [1] + target, target + [2]))
    return out


def check(name, ours, theirs):
    print(f"{name}: dtrain {ours:.6f}, PyTorch {theirs:.6f}")
    if not abs(ours - theirs) < 2e-5 * theirs: sys.exit("they differ")


def main():
    torch.set_num_threads(1)
    for number, case in enumerate(CASES):
        kind, norm, activation, encoder, decoder = case
        with tempfile.TemporaryDirectory() as folder:
            run, back, text = (os.path.join(folder, n) for n in ("run", "back", "held.txt"))
            lines = open(PAIRS, encoding="utf8").read().splitlines()[:40]
            if kind == "lm": lines = [line.split("\t")[0] for line in lines[:12]]
            open(text, "w", encoding="utf8").write("\n".join(lines) + "\n")
            positions = 24 if kind == "lm" else 128
            settings = ["--architecture", kind, "--norm", norm, "--activation", activation, "--decoder-layers",
                        str(decoder), "--d-model", str(D), "--d-ff", str(FF), "--heads", str(HEADS), "--vocabulary",
                        "600", "--positions", str(positions), "--workers", "1", "--validate-every", "0", "--quiet"]
            if kind != "lm": settings += ["--encoder-layers", str(encoder)]
            evaluate = lambda r: json.loads(dtrain("evaluate", "--run", r, "--text" if kind == "lm" else "--corpus",
                                                   text, "--json"))["loss"]
            dtrain("train", "--run", run, "--steps", "20", *settings)
            checkpoint = f"{run}/checkpoints/step-000020"
            pieces = sentencepiece.SentencePieceProcessor(f"{checkpoint}/tokenizer.model")
            what = samples(kind, text, pieces, positions)
            weights = load_file(f"{checkpoint}/model.safetensors")
            net = module(*case)
            table = weights.pop("embedding.weight")
            net.load_state_dict(weights, strict=True)
            check(f"{' '.join(map(str, case))}, to PyTorch", evaluate(run), loss(kind, net, table, what))

            torch.manual_seed(number)
            drawn = module(*case)
            for p in drawn.parameters(): nn.init.normal_(p, 0.0, 0.2)
            table = torch.randn(table.shape) * D ** -0.5
            tensors = {n: p.detach().contiguous() for n, p in drawn.named_parameters()} | {"embedding.weight": table}
            save_file(tensors, f"{folder}/drawn.safetensors")
            dtrain("train", "--run", back, "--steps", "1", "--from", f"{folder}/drawn.safetensors", "--tokenizer",
                   f"{checkpoint}/tokenizer.model", "--learning-rate", "1e-30", *settings)
            kept = load_file(f"{back}/checkpoints/step-000001/model.safetensors")
            if any(not torch.equal(kept[n], t) for n, t in tensors.items()): sys.exit("a tensor came back changed")
            check(f"{' '.join(map(str, case))}, from PyTorch", evaluate(back), loss(kind, drawn, table, what))


main()
