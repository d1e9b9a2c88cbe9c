"""Argos Translate: the package is built as its own source reads one; with argostranslate installed it is installed, too.

Source: argosopentech/argos-translate, argostranslate/package.py and translate.py."""
import filecmp
import json
import os
import subprocess
import sys
import zipfile

from rows import Wrong, row

NAME = "translate-en_fr-1_0"


def package(bench, numbers="float32"):
    folder = bench.export("argos", "--from-language", "en:English", "--to-language", "fr:French", "--type", numbers)
    path = os.path.join(folder, NAME + ".argosmodel")
    if not zipfile.is_zipfile(path):
        raise Wrong(f"{path} is no zip")
    # As install_from_path does it.
    with zipfile.ZipFile(path) as archive:
        if archive.testzip():
            raise Wrong(f"{archive.testzip()} is damaged")
        archive.extractall(folder)
    inside = os.path.join(folder, NAME)
    with open(os.path.join(inside, "metadata.json"), encoding="utf-8") as file:
        metadata = json.load(file)
    if metadata != {"package_version": "1.0", "argos_version": "1.0", "from_code": "en", "from_name": "English",
                    "to_code": "fr", "to_name": "French"}:
        raise Wrong(f"metadata.json says {metadata}")
    plain = bench.export("ctranslate2", "--type", numbers)
    for name in ("model.bin", "config.json", "shared_vocabulary.json"):
        if not filecmp.cmp(os.path.join(plain, name), os.path.join(inside, "model", name), shallow=False):
            raise Wrong(f"{name} is not that of --to ctranslate2")
    if sorted(os.listdir(inside)) != ["README.md", "metadata.json", "model", "sentencepiece.model"]:
        raise Wrong(f"the package has {sorted(os.listdir(inside))}")
    return inside, path


def translated(bench, inside):
    """As apply_packaged_translation does it, with a beam of one."""
    import ctranslate2
    import sentencepiece
    pieces = sentencepiece.SentencePieceProcessor(model_file=os.path.join(inside, "sentencepiece.model"))
    engine = ctranslate2.Translator(os.path.join(inside, "model"), compute_type="float32", intra_threads=1)
    lines = [line for line in bench.lines(40) if bench.words(line)]
    found = engine.translate_batch(
        [pieces.encode(line, out_type=str) for line in lines], replace_unknowns=True, max_batch_size=32, beam_size=1,
        max_decoding_length=255, min_decoding_length=0)
    texts = ["".join(result.hypotheses[0][:bench.limit(line)]).replace("▁", " ").strip()
             for line, result in zip(lines, found, strict=True)]
    return lines, texts


def structure(bench):
    inside, path = package(bench)
    lines, texts = translated(bench, inside)
    same = sum(text == own for text, own in zip(texts, bench.translated(lines), strict=True))
    try:
        import argostranslate.package  # noqa: F401
    except ImportError:
        return f"structure as its source reads it, {same} of {len(lines)} texts dtrain's; argostranslate is not installed"
    code = "import sys, argostranslate.package as p; p.install_from_path(sys.argv[1]); print(p.get_installed_packages())"
    home = {**os.environ, "ARGOS_PACKAGES_DIR": os.path.join(bench.folder, "argos"), "HOME": bench.folder}
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, env=home)
    if done.returncode or "English" not in done.stdout:
        raise Wrong(f"argostranslate says {done.stdout}{done.stderr[-300:]}")
    return f"installed by argostranslate, {same} of {len(lines)} texts dtrain's"


def refused(bench):
    sentence = bench.export("argos", "--from-language", "en", "--to-language", "fr", code=65)
    if "language model" not in sentence:
        raise Wrong(f"the refusal says {sentence!r}")
    return "refused", sentence.removeprefix("dtrain: ")


row("argos, defaults")(structure)
row("argos, lm", ("--architecture", "lm"))(refused)
row("argos, demo", demo=True)(structure)
