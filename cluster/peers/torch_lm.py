"""Peer of `dtrain train --architecture lm`: the same model, text and batches, trained by PyTorch on this machine.

    python torch_lm.py --run RUN --seconds 300 [--threads 2]         needs torch and sentencepiece

Takes sizes, schedule and tokenizer from a run of dtrain on the embedded text, trains for so long, and prints a JSON
line with the perplexity of the held-out passages. Pre norm, sinusoidal positions, one tied matrix, Adam, clipping,
dropout and label smoothing as in dtrain; nn.TransformerEncoder with a causal mask; windows of the same length, as
many a step. All tokens but those of the held-out passages are trained on, in an order of PyTorch's own.
"""
import argparse, json, math, os, re, time, unicodedata
import sentencepiece, torch, torch.nn as nn, torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
TEXT = os.path.join(HERE, "../../Sources/CEmbeddedText/botchan.txt")
SIZES = {"tiny": (128, 2, 512, 4), "small": (256, 3, 1024, 4), "base": (512, 6, 2048, 8)}


def fingerprint(text):
    h = 0xCBF29CE484222325
    for byte in " ".join(unicodedata.normalize("NFC", text).lower().split()).encode():
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def windows(pieces, positions):
    """Passages of 16 lines; neighbours of one kind are one stream, cut into windows."""
    lines = open(TEXT, encoding="utf8").read().splitlines()
    passages = ["\n".join(lines[i:i + 16]) for i in range(0, len(lines), 16)]
    out = {True: [], False: []}
    stream, last = [], None
    for index, passage in enumerate(passages + [None]):
        held = passage is not None and fingerprint(passage) % 20 == 0
        # Held-out passages are windows of their own.
        if stream and (passage is None or held or last):
            out[last] += [stream[i:i + positions] for i in range(0, len(stream), positions)]
            stream = []
        if passage is not None:
            stream += pieces.encode(" ".join(passage.split())) + ([2] if index == len(passages) - 1 else [])
            last = held
    return out[False], out[True]


class Model(nn.Module):
    def __init__(self, d, layers, ff, heads, vocabulary, positions, dropout):
        super().__init__()
        self.scale = math.sqrt(d)
        self.embedding = nn.Embedding(vocabulary, d)
        layer = nn.TransformerEncoderLayer(d, heads, ff, dropout, "relu", batch_first=True, norm_first=True)
        self.stack = nn.TransformerEncoder(layer, layers, nn.LayerNorm(d), enable_nested_tensor=False)
        for p in self.stack.parameters():
            if p.dim() > 1: nn.init.xavier_uniform_(p)
        nn.init.normal_(self.embedding.weight, 0, d ** -0.5)
        place = torch.arange(positions).unsqueeze(1)
        rate = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
        table = torch.zeros(positions, d)
        table[:, 0::2], table[:, 1::2] = torch.sin(place * rate), torch.cos(place * rate)
        self.register_buffer("table", table)
        self.drop = nn.Dropout(dropout)

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.size(1))
        h = self.drop(self.embedding(x) * self.scale + self.table[: x.size(1)])
        return self.stack(h, mask=mask, is_causal=True) @ self.embedding.weight.T


def batch(rows):
    """Begin mark and all but the last token; labels are the window, -100 where a row is shorter."""
    width = max(map(len, rows))
    x = torch.tensor([[1] + r[:-1] + [0] * (width - len(r)) for r in rows])
    return x, torch.tensor([r + [-100] * (width - len(r)) for r in rows])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    settings = dict(re.findall(r"^(.*?): (.*)$", open(a.run + "/configuration.yaml").read(), re.M))
    newest = sorted(os.listdir(a.run + "/checkpoints"))[-1]
    pieces = sentencepiece.SentencePieceProcessor(f"{a.run}/checkpoints/{newest}/tokenizer.model")
    positions, warmup = int(settings["positions"]), int(settings["warmup"])
    training, held = windows(pieces, positions)
    net = Model(*SIZES[settings["preset"]], pieces.get_piece_size(), positions, float(settings["dropout"]))
    adam = torch.optim.Adam(net.parameters(), 1.0, betas=(0.9, 0.98), eps=1e-9, fused=True)
    size = max(1, round(int(settings["batch-tokens"]) / positions))
    smoothing, clip, peak = (float(settings[k]) for k in ("label-smoothing", "clip-norm", "learning-rate"))

    def measure():
        net.eval()
        with torch.no_grad():
            sums = [(F.cross_entropy(net(x).flatten(0, 1), y.flatten(), reduction="sum"), (y >= 0).sum())
                    for x, y in (batch([row]) for row in held)]
        net.train()
        return float(sum(s for s, _ in sums) / sum(n for _, n in sums)), int(sum(n for _, n in sums))

    # Measuring is not counted as training.
    seconds, step, tokens, order, curve = 0.0, 0, 0, [], []
    while seconds < a.seconds:
        start = time.monotonic()
        if len(order) < size: order = torch.randperm(len(training)).tolist()
        rows, order = [training[i] for i in order[:size]], order[size:]
        x, y = batch(rows)
        step += 1
        for group in adam.param_groups: group["lr"] = peak * min(step / warmup, (warmup / step) ** 0.5)
        adam.zero_grad(set_to_none=True)
        logits = net(x)
        F.cross_entropy(logits.flatten(0, 1), y.flatten(), label_smoothing=smoothing).backward()
        nn.utils.clip_grad_norm_(net.parameters(), clip)
        adam.step()
        tokens += sum(map(len, rows))
        seconds += time.monotonic() - start
        if step % 200 == 0: curve.append((step, round(seconds), round(math.exp(measure()[0]), 1)))
    loss, count = measure()
    print(json.dumps(dict(peer="torch " + torch.__version__, steps=step, seconds=round(seconds, 1),
                          parameters=sum(p.numel() for p in net.parameters()),
                          tokens_per_s=round(tokens / seconds), held_out_tokens=count,
                          loss=round(loss, 4), perplexity=round(math.exp(loss), 2), curve=curve)))


main()
