"""dtrain's model in double precision, read from what `dtrain export --to safetensors` writes. It is written out from
the papers, apart from dtrain's code: an independent reader of the exported tensors."""
import json
import math
import os

BUCKETS, FARTHEST = 32, 128


class Model:
    def __init__(self, folder, numbers="float32"):
        import torch
        from safetensors.torch import load_file
        # Threads that wait for each other are slower than one on a busy machine.
        torch.set_num_threads(1)
        self.torch, self.F = torch, torch.nn.functional
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        self.a = config["architecture"]
        self.begin, self.end = config["begin_id"], config["end_id"]
        self.p = load_file(os.path.join(folder, "model.safetensors"))
        if numbers == "bfloat16":
            self.p = {name: tensor.bfloat16() for name, tensor in self.p.items()}
        self.rounded = numbers == "bfloat16"
        self.p = {name: tensor.double() for name, tensor in self.p.items()}
        self.is_text = self.a["kind"] == "lm"

    def log_probabilities(self, source, words):
        """log P of each of the words and of the end mark, given those before; pad and begin are never said."""
        logits = self.logits(source, [self.begin] + words)
        logits = logits.log_softmax(-1)
        return logits[range(len(words) + 1), words + [self.end]].tolist()

    def gap(self, source, words, first=0, ended=True):
        """What the best logit is above the one that is said, at the first place from `first` on where `words`, and the
        end mark if they have `ended` by themselves, leave the best; None where they never do."""
        logits = self.logits(source, [self.begin] + words)
        best = logits.max(-1)
        for place, word in enumerate(words + [self.end] * ended):
            if place >= first and best.indices[place] != word:
                return float(best.values[place] - logits[place, word])
        return None

    def logits(self, source, decoder):
        a, torch = self.a, self.torch
        with torch.no_grad():
            memory = None
            if not self.is_text:
                table = "embedding.weight" if a["tying"] == "all" else "source_embedding.weight"
                memory = self.stack(self.embed(table, source + [self.end], "source_"), "encoder.",
                                    a["encoderLayers"], False, None, "source_")
            h = self.stack(self.embed("embedding.weight", decoder, ""), "" if self.is_text else "decoder.",
                           a["decoderLayers"], True, memory, "")
            logits = h @ self.p["output.weight" if a["tying"] == "none" else "embedding.weight"].T
            if "output.bias" in self.p:
                logits = logits + self.p["output.bias"]
            logits[:, :self.end] = -1e9
            return logits

    def round(self, x):
        return x.bfloat16().double() if self.rounded else x

    def embed(self, table, ids, prefix):
        torch, d = self.torch, self.a["dModel"]
        x = self.p[table][ids] * math.sqrt(d)
        if self.a["positionEncoding"] == "learned":
            x = x + self.p[prefix + "positions.weight"][:len(ids)]
        if self.a["positionEncoding"] == "sinusoidal":
            angle = self.angles(len(ids), d)
            table = torch.stack((angle.sin(), angle.cos()), -1).flatten(-2)[:, :d]
            x = x + self.round(table)
        return x

    def angles(self, count, width):
        torch = self.torch
        steps = torch.arange(0, width, 2, dtype=torch.double)
        return torch.arange(count, dtype=torch.double).unsqueeze(1) * torch.exp(-math.log(10000.0) * steps / width)

    def normalise(self, x, name):
        if self.a["norm"] == "none":
            return x
        kind, gain = self.a["normalisation"], self.p[name + ".weight"]
        if kind == "rms":
            return x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * gain
        bias = self.p[name + ".bias"]
        if kind == "batch":
            mean, variance = self.p[name + ".running_mean"], self.p[name + ".running_var"]
            return (x - mean) / (variance + 1e-5).sqrt() * gain + bias
        return self.F.layer_norm(x, (x.size(-1),), gain, bias, 1e-5)

    def bucket(self, distance, causal):
        behind, count, ahead = -distance, BUCKETS, 0
        if causal:
            behind = max(behind, 0)
        else:
            count //= 2
            ahead, behind = (count if behind < 0 else 0), abs(behind)
        exact = count // 2
        if behind < exact:
            return ahead + behind
        ratio = math.log(behind / exact) / math.log(FARTHEST / exact)
        return ahead + min(count - 1, exact + int(ratio * (count - exact)))

    def rotate(self, x):
        angle = self.angles(x.size(0), x.size(2)).unsqueeze(1)
        a, b = x[..., 0::2], x[..., 1::2]
        return self.torch.stack((a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()), -1).flatten(-2)

    def attend(self, name, x, memory, causal, prefix):
        torch, d = self.torch, self.a["dModel"]
        own = memory is None
        memory = x if own else memory
        w, b = self.p[name + "in_proj_weight"].split(d), self.p[name + "in_proj_bias"].split(d)
        keys = 0 if self.a["sharesQueryKey"] else 1
        def split(y):
            return y.view(y.size(0), self.a["heads"], -1)
        q, k, v = split(x @ w[0].T + b[0]), split(memory @ w[keys].T + b[keys]), split(memory @ w[-1].T + b[-1])
        if own and self.a["positionEncoding"] == "rotary":
            q, k = self.rotate(q), self.rotate(k)
        z = torch.einsum("ihc,jhc->hij", q, k) / math.sqrt(d / self.a["heads"])
        if own and self.a["positionEncoding"] == "relative":
            near = {n: self.bucket(n, causal) for n in range(-z.size(1), z.size(2) + 1)}
            place = torch.tensor([[near[j - i] for j in range(z.size(2))] for i in range(z.size(1))])
            z = z + self.p[prefix + "relative.weight"][:, place]
        if causal:
            z = z + torch.full(z.shape[1:], float("-inf"), dtype=z.dtype).triu(1)
        o = torch.einsum("hij,jhc->ihc", z.softmax(-1), v).flatten(1)
        return o @ self.p[name + "out_proj.weight"].T + self.p[name + "out_proj.bias"]

    def feed(self, layer, x):
        F, kind = self.F, self.a["activation"]
        h = x @ self.p[layer + "linear1.weight"].T + self.p[layer + "linear1.bias"]
        if kind == "swiglu":
            gate, value = h.chunk(2, -1)
            h = F.silu(gate) * value
        else:
            h = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu, "sigmoid": self.torch.sigmoid,
                 "tanh": self.torch.tanh}[kind](h)
        return h @ self.p[layer + "linear2.weight"].T + self.p[layer + "linear2.bias"]

    def stack(self, x, stack, count, causal, memory, prefix):
        norm = self.a["norm"]
        for i in range(count):
            layer = f"{stack}layers.{i}."
            subs = [lambda y: self.attend(layer + "self_attn.", y, None, causal, prefix)]
            if memory is not None:
                subs.append(lambda y: self.attend(layer + "multihead_attn.", y, memory, False, prefix))
            subs.append(lambda y: self.feed(layer, y))
            for n, sub in enumerate(subs):
                y = sub(self.normalise(x, f"{layer}norm{n + 1}") if norm == "pre" else x)
                x = x + y if self.a["residual"] else y
                if norm == "post":
                    x = self.normalise(x, f"{layer}norm{n + 1}")
        return self.normalise(x, stack + "norm") if f"{stack}norm.weight" in self.p else x
