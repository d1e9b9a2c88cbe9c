"""Reference vectors for the choices that nn.Transformer does not have, written out from their papers (float32, no dropout).

    python make_choices.py OUTPUT_FOLDER        needs torch and safetensors

The same format as make_golden.py's, with more metadata: normalisation, position_encoding, tying, share_query_key,
residual, encoder_layers, decoder_layers. Sequences are not padded: each is computed alone, and logits are those of all
of them in order, padded with zeros.
"""
import math, sys
import torch, torch.nn.functional as F
from safetensors.torch import save_file

BUCKETS, FARTHEST = 32, 128


class Model:
    final_norm = True

    def __init__(s, kind, norm, normalisation, act, positions, tying, shared, residual, enc, dec, d, ff, heads, vocab):
        s.__dict__.update(locals())
        s.p = {}
        def matrix(name, *shape): s.p[name] = torch.randn(shape) * (2 / sum(shape)) ** 0.5
        def vector(name, n, around=0.0): s.p[name] = around + 0.1 * torch.randn(n)
        def linear(name, out, width, dot="."): matrix(name + dot + "weight", out, width); vector(name + dot + "bias", out)
        def norms(name):
            if norm == "none": return
            vector(name + ".weight", d, 1.0)
            if normalisation == "layer": vector(name + ".bias", d)
        def table(name, *shape): s.p[name] = torch.randn(shape) * d ** -0.5
        if kind != "lm" and tying != "all": table("source_embedding.weight", vocab, d)
        table("embedding.weight", vocab, d)
        if tying == "none": table("output.weight", vocab, d)
        for prefix in ([""] if kind == "lm" else ["source_", ""]):
            if positions == "learned": table(prefix + "positions.weight", 512, d)
            if positions == "relative": table(prefix + "relative.weight", heads, BUCKETS)
        for stack, count in ([("", dec)] if kind == "lm" else [("encoder.", enc), ("decoder.", dec)]):
            for i in range(count):
                layer = f"{stack}layers.{i}."
                cross = stack == "decoder."
                for a in ["self_attn."] + (["multihead_attn."] if cross else []):
                    linear(layer + a + "in_proj", (2 if shared else 3) * d, d, "_")
                    linear(layer + a + "out_proj", d, d)
                linear(layer + "linear1", 2 * ff if act == "swiglu" else ff, d); linear(layer + "linear2", d, ff)
                for n in range(3 if cross else 2): norms(f"{layer}norm{n + 1}")
            norms(stack + "norm")
        for t in s.p.values(): t.requires_grad_()

    def normalise(s, x, name):
        if s.norm == "none": return x
        g = s.p[name + ".weight"]
        if s.normalisation == "rms": return x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * g
        return F.layer_norm(x, (s.d,), g, s.p[name + ".bias"], 1e-5)

    def bucket(s, distance, causal):  # of key minus query, as T5's _relative_position_bucket
        n, count, ahead = -distance, BUCKETS, 0
        if causal: n = max(n, 0)
        else:
            count //= 2
            ahead, n = (count if n < 0 else 0), abs(n)
        exact = count // 2
        if n < exact: return ahead + n
        return ahead + min(count - 1, exact + int(math.log(n / exact) / math.log(FARTHEST / exact) * (count - exact)))

    def rotate(s, x):  # [tokens, heads, width], pairs of neighbours (RoFormer)
        n, width = x.size(0), x.size(2)
        angle = torch.arange(n).unsqueeze(1) * torch.exp(-math.log(10000.0) * torch.arange(0, width, 2) / width)
        c, z = angle.cos().unsqueeze(1), angle.sin().unsqueeze(1)
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack((a * c - b * z, a * z + b * c), -1).flatten(-2)

    def attend(s, name, x, memory, causal, prefix):
        own = memory is None
        memory = x if own else memory
        w, b = s.p[name + "in_proj_weight"].split(s.d), s.p[name + "in_proj_bias"].split(s.d)
        keys = 0 if s.shared else 1
        split = lambda y: y.view(y.size(0), s.heads, -1)
        q, k, v = split(x @ w[0].T + b[0]), split(memory @ w[keys].T + b[keys]), split(memory @ w[-1].T + b[-1])
        if own and s.positions == "rotary": q, k = s.rotate(q), s.rotate(k)
        z = torch.einsum("ihc,jhc->hij", q, k) / math.sqrt(s.d / s.heads)
        if own and s.positions == "relative":
            place = torch.tensor([[s.bucket(j - i, causal) for j in range(z.size(2))] for i in range(z.size(1))])
            z = z + s.p[prefix + "relative.weight"][:, place]
        if causal: z = z + torch.full(z.shape[1:], float("-inf")).triu(1)
        o = torch.einsum("hij,jhc->ihc", z.softmax(-1), v).flatten(1)
        return o @ s.p[name + "out_proj.weight"].T + s.p[name + "out_proj.bias"]

    def feed(s, layer, x):
        h = x @ s.p[layer + "linear1.weight"].T + s.p[layer + "linear1.bias"]
        if s.act == "swiglu":
            gate, value = h.split(s.ff, -1); h = F.silu(gate) * value
        else: h = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "silu": F.silu, "gelu": F.gelu, "relu": F.relu}[s.act](h)
        return h @ s.p[layer + "linear2.weight"].T + s.p[layer + "linear2.bias"]

    def stack(s, x, stack, count, causal, memory, prefix):
        for i in range(count):
            layer = f"{stack}layers.{i}."
            subs = [lambda y: s.attend(layer + "self_attn.", y, None, causal, prefix)]
            if memory is not None: subs.append(lambda y: s.attend(layer + "multihead_attn.", y, memory, False, prefix))
            subs.append(lambda y: s.feed(layer, y))
            for n, sub in enumerate(subs):
                y = sub(s.normalise(x, f"{layer}norm{n + 1}") if s.norm == "pre" else x)
                x = x + y if s.residual else y
                if s.norm == "post": x = s.normalise(x, f"{layer}norm{n + 1}")
        return s.normalise(x, stack + "norm") if s.final_norm else x

    def embed(s, table, ids, prefix):
        x = s.p[table][ids] * math.sqrt(s.d)
        if s.positions == "learned": return x + s.p[prefix + "positions.weight"][: len(ids)]
        if s.positions != "sinusoidal": return x
        angle = torch.arange(len(ids)).unsqueeze(1) * torch.exp(torch.arange(0, s.d, 2) * (-math.log(10000.0) / s.d))
        return x + torch.stack((angle.sin(), angle.cos()), -1).flatten(1)

    def logits(s, src, inp):
        memory = None
        if s.kind != "lm":
            table = "embedding.weight" if s.tying == "all" else "source_embedding.weight"
            memory = s.stack(s.embed(table, src, "source_"), "encoder.", s.enc, False, None, "source_")
        h = s.embed("embedding.weight", inp, "")
        h = s.stack(h, "" if s.kind == "lm" else "decoder.", s.dec, True, memory, "")
        return h @ s.p["output.weight" if s.tying == "none" else "embedding.weight"].T + s.p.get("output.bias", 0)


def case(path, seed, kind, norm, normalisation, act, positions, tying, shared, residual, enc, dec, d, ff, heads, vocab,
         lengths, smoothing=0.1, clip=1.0, K=10):
    torch.manual_seed(seed)
    m = Model(kind, norm, normalisation, act, positions, tying, shared, residual, enc, dec, d, ff, heads, vocab)
    out = {f"param.{n}": p.detach().clone() for n, p in m.p.items()}
    words = lambda n: torch.randint(4, vocab, (n,))
    srcs = [torch.cat((words(n + 2), torch.tensor([2]))) for n in lengths]
    tgts = [torch.cat((torch.tensor([1]), words(n), torch.tensor([2]))) for n in lengths]
    pad = lambda rows: torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    if kind != "lm": out["src"] = pad(srcs)
    out["tgt"] = pad(tgts)
    opt = torch.optim.Adam(m.p.values(), 1.0, betas=(0.9, 0.98), eps=1e-9)
    lrs, losses, norms = [], [], []
    for k in range(K):
        opt.zero_grad()
        each = [m.logits(s, t[:-1]) for s, t in zip(srcs, tgts)]
        loss = F.cross_entropy(torch.cat(each), torch.cat([t[1:] for t in tgts]), label_smoothing=smoothing)
        loss.backward()
        if k == 0:
            out["logits"], out["loss"] = pad([e.detach() for e in each]), loss.detach().reshape(1)
            out |= {f"grad.{n}": p.grad.detach().clone() for n, p in m.p.items()}
        norms.append(float(torch.nn.utils.clip_grad_norm_(m.p.values(), clip)))
        lr = 0.1 * d ** -0.5 * min((k + 1) ** -0.5, (k + 1) * 4 ** -1.5)
        for g in opt.param_groups: g["lr"] = lr
        opt.step(); lrs.append(lr); losses.append(loss.item())
    out["learning_rates"], out["losses"], out["grad_norms"] = (torch.tensor(x) for x in (lrs, losses, norms))
    out |= {f"final.{n}": p.detach().clone() for n, p in m.p.items()}
    meta = dict(architecture=kind, norm=norm, activation=act, heads=heads, layers=dec, d_model=d, d_ff=ff, vocabulary=vocab,
                label_smoothing=smoothing, clip_norm=clip, adam="0.9,0.98,1e-9", torch=torch.__version__,
                normalisation=normalisation, position_encoding=positions, tying=tying,
                share_query_key=str(shared).lower(), residual=str(residual).lower(), encoder_layers=enc, decoder_layers=dec)
    save_file({k: v.contiguous() for k, v in out.items()}, path, {k: str(v) for k, v in meta.items()})
    print(path.split("/")[-1], "loss %.6f -> %.6f" % (losses[0], losses[-1]))


if __name__ == "__main__":
    torch.set_num_threads(1)
    to = sys.argv[1]
    T, E = True, "encoder-decoder"
    case(f"{to}/choices-encdec-rms-swiglu-rotary.safetensors", 11, E, "pre", "rms", "swiglu", "rotary", "none", False, T,
         1, 2, 24, 20, 4, 31, [5, 1, 7])
    case(f"{to}/choices-encdec-post-relative-shared.safetensors", 12, E, "post", "layer", "tanh", "relative", "all", T, T,
         2, 1, 16, 24, 2, 29, [22, 3])
    case(f"{to}/choices-lm-relative-rms-shared.safetensors", 13, "lm", "post", "rms", "gelu", "relative", "none", T, T,
         1, 2, 16, 20, 2, 31, [40, 6])
    case(f"{to}/choices-lm-rotary-shared.safetensors", 14, "lm", "pre", "layer", "swiglu", "rotary", "all", T, T,
         1, 2, 20, 24, 2, 33, [9, 12])
    case(f"{to}/choices-encdec-nonorm-none.safetensors", 15, E, "none", "layer", "sigmoid", "none", "decoder", False, T,
         1, 1, 16, 20, 4, 29, [6, 8])
    case(f"{to}/choices-encdec-noresidual.safetensors", 16, E, "pre", "layer", "relu", "none", "decoder", False, False,
         1, 1, 20, 28, 2, 27, [6, 5])
