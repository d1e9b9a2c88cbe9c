"""A random model of the shape of OPUS-MT, written by transformers: swish, sines before cosines, final_logits_bias, a row of
zeros for the padding, with which the decoder begins, two SentencePiece models and vocab.json.

    python opus_shaped.py OUTPUT_FOLDER         the model that Tests/Golden/marian holds, with its logits
"""
import json
import os
import random

HERE = os.path.dirname(os.path.abspath(__file__))
DEMO = os.path.join(HERE, "..", "..", "Sources", "CEmbeddedText", "demo.en-fr.tsv")


def pieces(lines, name, size, rule):
    import sentencepiece
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=name, vocab_size=size, model_type="unigram", hard_vocab_limit=False,
        normalization_rule_name=rule, minloglevel=3, num_threads=1)
    os.rename(name + ".model", name + ".spm")
    os.remove(name + ".vocab")
    return sentencepiece.SentencePieceProcessor(model_file=name + ".spm")


def make(folder, size=(210, 190), d=16, ff=24, heads=2, layers=(2, 1), positions=64, rule="identity", activation="swish",
         tying="all", seed=1):
    """Writes the folder; returns the model."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer
    with open(DEMO, encoding="utf-8") as file:
        pairs = [line.rstrip("\n").split("\t") for line in file][:400]
    os.makedirs(folder, exist_ok=True)
    words = ["</s>", "<unk>"]
    for side, name in enumerate(("source", "target")):
        model = pieces([pair[side] for pair in pairs], os.path.join(folder, name), size[side], rule)
        words += [model.id_to_piece(i) for i in range(model.get_piece_size())]
    words = [word for word in dict.fromkeys(words) if word != "<s>"] + [">>fra<<", "<pad>"]
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
        json.dump({word: i for i, word in enumerate(words)}, file)
    pad = len(words) - 1
    config = MarianConfig(
        vocab_size=len(words), d_model=d, encoder_ffn_dim=ff, decoder_ffn_dim=ff, encoder_attention_heads=heads,
        decoder_attention_heads=heads, encoder_layers=layers[0], decoder_layers=layers[1], activation_function=activation,
        max_position_embeddings=positions, scale_embedding=True, pad_token_id=pad, eos_token_id=0, forced_eos_token_id=0,
        decoder_start_token_id=pad, bos_token_id=0, static_position_embeddings=True, normalize_before=False,
        normalize_embedding=False, add_final_layer_norm=False, share_encoder_decoder_embeddings=tying == "all",
        tie_word_embeddings=tying != "none")
    torch.manual_seed(seed)
    model = MarianMTModel(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "embed_positions" in name:
                continue
            if p.dim() > 1:
                p.normal_(0, (2 / sum(p.shape)) ** 0.5)
            else:
                p.normal_(1 if "norm" in name and name.endswith("weight") else 0, 0.1)
        model.final_logits_bias.normal_(0, 0.5)
        model.final_logits_bias[0, pad] = 0
        for table in (model.get_encoder().embed_tokens, model.get_decoder().embed_tokens, model.lm_head):
            table.weight.normal_(0, d ** -0.5)
            table.weight[pad] = 0
    model.generation_config.bad_words_ids = [[pad]]
    model.save_pretrained(folder)
    files = [os.path.join(folder, name) for name in ("source.spm", "target.spm", "vocab.json")]
    MarianTokenizer(*files, model_max_length=positions).save_pretrained(folder)
    return model


def ids(folder):
    """dtrain's id of each of the model's: 0 pad, 1 begin, 2 end, 3 unknown, then the others in their order."""
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    with open(os.path.join(folder, "vocab.json"), encoding="utf-8") as file:
        unknown = json.load(file)["<unk>"]
    marks = {config["pad_token_id"]: 0}
    marks |= {config["decoder_start_token_id"]: 1, config["eos_token_id"]: 2, unknown: 3}
    others = iter(range(4, config["vocab_size"] + 4))
    return [marks[i] if i in marks else next(others) for i in range(config["vocab_size"])]


def golden(folder):
    """The model, and what transformers computes for a few sentences: their ids and logits."""
    import torch
    from transformers import AutoTokenizer
    model = make(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    samples = []
    for source, target in [("Where are you?", "Où es-tu ?"), (">>fra<< The file is open. 字母", "Le fichier est ouvert."),
                           ("I know  that he has ﬁve of them…", "Je sais qu'il en a cinq…"), ("a", "b")]:
        s, t = tokenizer(source).input_ids, tokenizer(text_target=target).input_ids
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([s]), decoder_input_ids=torch.tensor([[model.config.pad_token_id] + t[:-1]]))
            # The model is told to end with an end mark, which comes on top of dtrain's limit.
            limit = min(2 * len(s) + 10, model.config.max_position_embeddings - 1)
            out = model.generate(torch.tensor([s]), max_new_tokens=limit + 1, num_beams=1, do_sample=False)
        samples.append({
            "source": source, "target": target, "sourceIDs": s, "targetIDs": t,
            "logits": [round(float(x), 5) for row in logits.logits[0] for x in row[::7]],
            "greedy": tokenizer.decode(out[0], skip_special_tokens=True)})
    with open(os.path.join(folder, "samples.json"), "w", encoding="utf-8") as file:
        json.dump(samples, file, ensure_ascii=False, indent=1)
    os.remove(os.path.join(folder, "generation_config.json"))


if __name__ == "__main__":
    import sys
    golden(sys.argv[1])
