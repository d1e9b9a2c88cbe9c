"""The logits that transformers computes of what the tests export: Tests/Golden/transformers.json.

    DTRAIN_WRITE_EXPORTS=FOLDER swift test --filter TransformersTests
    python make_transformers.py FOLDER         needs torch and transformers
"""
import hashlib, json, os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

HERE = os.path.dirname(os.path.abspath(__file__))
found = []
for name in sorted(os.listdir(sys.argv[1])):
    folder = os.path.join(sys.argv[1], name)
    decoder = [1] + [4 + (7 * i) % 30 for i in range(9)]
    golden = {"name": name, "decoder": decoder}
    with open(folder + "/model.safetensors", "rb") as file: golden["sha256"] = hashlib.sha256(file.read()).hexdigest()
    with torch.no_grad():
        if name.startswith("marian"):
            golden["source"] = [4 + (5 * i) % 30 for i in range(7)] + [2]
            net = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
            logits = net(input_ids=torch.tensor([golden["source"]]), decoder_input_ids=torch.tensor([decoder])).logits
        else:
            net = AutoModelForCausalLM.from_pretrained(folder).eval()
            logits = net(input_ids=torch.tensor([decoder])).logits
    golden["logits"] = [round(float(x), 5) for x in logits.flatten()]
    found.append(golden)
with open(HERE + "/transformers.json", "w") as file: json.dump(found, file, sort_keys=True)
