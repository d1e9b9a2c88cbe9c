"""CTranslate2 on a file of lines, again for each line of standard input, which names where the texts go (or nothing):
ct2_serve.py MODEL TOKENIZER LINES INTER INTRA TYPE BEAM BATCH examples|tokens. Prints a JSON line a round."""
import json, sys, time
import ctranslate2, sentencepiece

model, tokenizer, source, inter, intra, kind, beam, batch, unit = sys.argv[1:10]
translator = ctranslate2.Translator(model, device="cpu", inter_threads=int(inter), intra_threads=int(intra), compute_type=kind)
pieces = sentencepiece.SentencePieceProcessor(model_file=tokenizer)
lines = open(source, encoding="utf8").read().split("\n")[:-1]


def translate():
    results = translator.translate_batch(
        [pieces.encode(line, out_type=str) for line in lines], beam_size=int(beam), max_batch_size=int(batch), batch_type=unit,
        length_penalty=0 if beam == "1" else 1, max_decoding_length=255)
    return [pieces.decode(result.hypotheses[0]) for result in results]


translate()
for output in sys.stdin:
    start = time.time()
    texts = translate()
    seconds = time.time() - start
    if output.strip():
        with open(output.strip(), "w", encoding="utf8") as file:
            file.writelines(text + "\n" for text in texts)
    print(json.dumps({"seconds": seconds}), flush=True)
