"""Run folders: their names and paths, copies of living ones, formats, losses."""
import json
import os
import re
import shutil
import signal
import time

from cases import TOY, Failure, case, pairs

HERE = os.path.dirname(os.path.abspath(__file__))
OLD = os.path.join(HERE, "..", "..", "Tests", "Folders")
MODEL = [*TOY, "--vocabulary", "60", "--workers", "1"]


def train(place, *options, run="run", steps=4, text="pairs.tsv", **more):
    """A toy run on the text of this case, in `run`."""
    if not os.path.exists(place.path("pairs.tsv")):
        place.write("pairs.tsv", pairs())
    named = ["--run", run] if run is not None else []
    return place.dtrain("train", "--corpus", text, *named, *MODEL, "--steps", str(steps), *options, **more)


def resume(place, *options, run="run", **more):
    named = ["--run", run] if run is not None else []
    return place.dtrain("train", "--resume", *named, *options, **more)


def living(place, run="run", every=40, steps=200000):
    """A run under way that has a checkpoint."""
    place.write("pairs.tsv", pairs())
    started = place.start("train", "--corpus", "pairs.tsv", "--run", run, *MODEL, "--steps", str(steps),
                          "--checkpoint-every", str(every), "--log-every", "1")
    return started.wait_for("saved ")


def digest(place, run):
    """Of the newest checkpoint."""
    return json.loads(place.dtrain("inspect", run, "--json").expect(code=0).out)["digest"]


def kill(started):
    """SIGKILL; its workers end by themselves."""
    started.send(signal.SIGKILL).process.wait()


def lines(place, name):
    with open(place.path(name), "rb") as file:
        return file.read().count(b"\n")


# Links and paths.


@case("after Ctrl-C and --resume, runs/latest leads to the run and not to itself")
def latest_after_resume(place):
    train(place, run=None).expect(code=0)
    name = os.readlink(place.path("runs/latest"))
    first = resume(place, "--steps", "8", run=None).expect(code=0)
    resume(place, "--steps", "12", run="runs/latest").expect(code=0)
    resume(place, "--steps", "16", run="runs/latest/").expect(code=0)
    if os.readlink(place.path("runs/latest")) != name:
        raise Failure(f"runs/latest leads to {os.readlink(place.path('runs/latest'))}, not to {name}")
    place.dtrain("inspect").expect(code=0, says="step +16")
    place.dtrain("translate", stdin="1 alpha beta\n").expect(code=0)
    if first.digest == digest(place, "runs/latest"):
        raise Failure("16 steps have the digest of 8")


@case("a runs/latest that an older version let lead to itself is named, and mended by the next run")
def latest_loop(place):
    os.makedirs(place.path("runs"))
    os.symlink("latest", place.path("runs/latest"))
    for command in (["train", "--resume"], ["inspect"], ["verify"], ["translate"], ["generate"], ["evaluate"],
                    ["token", "show"], ["token", "rotate"]):
        place.dtrain(*command).expect(code=64, says="runs/latest is a link that leads to itself", sentence=True)
    place.dtrain("status").expect(code=69, says="leads to itself", sentence=True)
    train(place, run=None).expect(code=0)
    place.dtrain("inspect").expect(code=0)


@case("runs called latest: a link, missing, dangling, a folder")
def latest_names(place):
    place.write("pairs.tsv", pairs())
    train(place, run="runs/latest").expect(code=64, says="link to the newest run.*give another name", sentence=True)
    train(place, run="latest").expect(code=64, says="give another name", sentence=True)
    resume(place, run="runs/latest").expect(code=64, says="there is no runs/latest", sentence=True)
    os.makedirs(place.path("runs"), exist_ok=True)
    os.symlink("gone", place.path("runs/latest"))
    for command in (["train", "--resume"], ["inspect"], ["verify"], ["translate"]):
        place.dtrain(*command).expect(code=64, says="a link to gone, which is not there", sentence=True)
    train(place, run="runs/latest").expect(code=64, says="a link to gone, which is not there", sentence=True)
    os.unlink(place.path("runs/latest"))
    train(place, run="a").expect(code=0)
    os.makedirs(place.path("other/latest"))
    train(place, run="other/b").expect(code=0, says="other/latest is no link and stays what it is")
    os.rename(place.path("a"), place.path("other/latest/latest"))
    resume(place, "--steps", "6", run="other/latest/latest").expect(code=0, not_says="no link")


@case("a path through a link and .. is the kernel's, in every command and option")
def dots_behind_links(place):
    os.makedirs(place.path("far/deep"))
    os.symlink("far/deep", place.path("near"))
    place.write("far/pairs.tsv", pairs())
    place.write("far/lines.txt", "1 alpha beta\n")
    place.write("pairs.tsv", "this is\tanother text\n")
    train(place, run="near/../run", text="near/../pairs.tsv").expect(code=0)
    if not os.path.isdir(place.path("far/run")) or os.path.exists(place.path("run")):
        raise Failure("the run is not where the kernel finds near/../run")
    resume(place, "--steps", "6", run="near/../run").expect(code=0)
    for command in (["inspect", "near/../run"], ["verify", "near/../run"],
                    ["translate", "--run", "near/../run", "near/../lines.txt"],
                    ["evaluate", "--run", "near/../run", "--corpus", "near/../pairs.tsv"],
                    ["token", "show", "--run", "near/../run"], ["token", "rotate", "--run", "near/../run"],
                    ["plan", "--measured", "near/../run", "--workers", "1"]):
        place.dtrain(*command).expect(code=0)
    checkpoint = "near/../run/checkpoints/step-000006"
    place.dtrain("train", "--corpus", "near/../pairs.tsv", "--from", "near/../run", "--run", "b", "--validate-every",
                 "0", "--steps", "2").expect(code=0)
    place.dtrain("train", "--corpus", "near/../pairs.tsv", "--validation", "near/../pairs.tsv", "--tokenizer",
                 checkpoint + "/tokenizer.model", "--run", "c", *TOY, "--steps", "2").expect(code=0)
    shutil.copy(place.path("far/run/configuration.yaml"), place.path("far/own.yaml"))
    place.dtrain("train", "--config", "near/../own.yaml", "--run", "d", "--steps", "2").expect(code=0)
    place.dtrain("inspect", "near/../run", "--attention", "1 alpha", "--heat-map", "near/../a.svg").expect(code=0)
    if not os.path.exists(place.path("far/a.svg")):
        raise Failure("the heat map is not where the kernel finds near/../a.svg")


@case("a run that starts from runs/latest keeps its origin when it becomes the latest itself")
def from_latest(place):
    train(place, run="runs/a").expect(code=0)
    place.dtrain("train", "--corpus", "pairs.tsv", "--from", "runs/latest", "--run", "runs/b", "--validate-every", "0",
                 "--steps", "2").expect(code=0)
    place.dtrain("verify", "runs/b").expect(code=0, says="the run that it started from")


@case("two runs that are started in one second get two folders")
def same_second(place):
    place.write("pairs.tsv", pairs())
    started = [place.start("train", "--corpus", "pairs.tsv", *MODEL, "--steps", "3") for _ in range(3)]
    for one in started:
        one.end().expect(code=0)
    names = [name for name in os.listdir(place.path("runs")) if name != "latest"]
    if len(names) != 3 or os.readlink(place.path("runs/latest")) not in names:
        raise Failure(f"three runs lie in {names}")


@case("another run that becomes the latest does not move a run that was resumed as runs/latest")
def latest_moves_on(place):
    train(place, run="runs/a", steps=2).expect(code=0)
    place.write("pairs.tsv", pairs())
    started = place.start("train", "--resume", "--run", "runs/latest", "--steps", "200000", "--checkpoint-every",
                          "50", "--log-every", "1").wait_for("saved ")
    train(place, run="runs/b", steps=2).expect(code=0)
    started.send(signal.SIGINT).end().expect(code=0, says="--run runs/a")
    if sorted(os.listdir(place.path("runs/b/checkpoints"))) != ["step-000002"]:
        raise Failure(f"runs/b has {os.listdir(place.path('runs/b/checkpoints'))}")


@case("an empty path is refused in one sentence by every command")
def empty_paths(place):
    train(place).expect(code=0)
    for command in (["train", "--run", ""], ["train", "--resume", "--run", ""], ["coordinator", "--run", ""],
                    ["train", "--config", ""], ["inspect", ""], ["verify", ""], ["translate", "--run", ""],
                    ["evaluate", "--run", ""], ["generate", "--run", ""], ["status", "--run", ""],
                    ["token", "show", "--run", ""], ["token", "rotate", "--run", ""],
                    ["plan", "--measured", ""], ["worker", "--connect", "tcp://127.0.0.1:1", "--token-file", ""],
                    ["inspect", "run", "--attention", "a", "--heat-map", ""], ["train", "--corpus", ""],
                    ["train", "--tokenizer", ""], ["train", "--from", ""], ["train", "--validation", ""]):
        place.dtrain(*command).expect(code=64, says="give a path or leave it out", sentence=True)
    if os.path.exists(place.path("lock")) or os.path.exists(place.path("runs")):
        raise Failure("something was made for an empty path")


@case("a folder that was moved, copied, is reached by a link, has spaces, accents, a slash at its end")
def moved_folders(place):
    whole = train(place, steps=6).expect(code=0).digest
    os.rename(place.path("run"), place.path("moved there"))
    shutil.copytree(place.path("moved there"), place.path("copié e\u0301 \u6f22"))
    os.symlink("moved there", place.path("li nk"))
    for number, name in enumerate(["copié e\u0301 \u6f22", "moved there", "moved there///", "li nk", "./li nk/."]):
        if digest(place, name) != whole:
            raise Failure(f"{name} has another digest")
        place.dtrain("verify", name).expect(code=0)
        place.dtrain("translate", "--run", name, stdin="1 alpha\n").expect(code=0)
        place.dtrain("token", "show", "--run", name).expect(code=0)
        place.dtrain("status", "--run", name).expect(code=69, says="no coordinator has", sentence=True)
        result = resume(place, "--steps", str(7 + number), run=name).expect(code=0)
        if not name.startswith("copi"):
            whole = result.digest
    if os.path.islink(place.path("latest")) and not os.path.exists(place.path("latest")):
        raise Failure(f"latest leads to {os.readlink(place.path('latest'))}, which is not there")


@case("what a message tells to type can be typed, whatever the folder is called")
def typed_names(place):
    place.write("pairs.tsv", pairs())
    started = place.start("train", "--corpus", "pairs.tsv", "--run", "it's a run", *MODEL, "--steps", "200000",
                          "--log-every", "1").wait_for("step 20/")
    said = started.send(signal.SIGINT).end().expect(code=0)
    command = re.search(r"'dtrain train (--resume --run .*)' goes on", said.err).group(1)
    place.shell(f"$D train {command} --steps {lines(place, chr(105) + 't' + chr(39) + 's a run/ledger.jsonl') + 5}"
                ).expect(code=0)


@case("a file in place of a folder, a part of the path that is a file: one sentence")
def files_for_folders(place):
    place.write("pairs.tsv", pairs())
    place.write("file", "no folder\n")
    for name, says in (("file", "file is a file"), ("file/run", "Not a directory"), ("file/", "Not a directory")):
        train(place, run=name).expect(code=64, says=says if name != "file/" else "a file|Not a dir", sentence=True)
        resume(place, run=name).expect(code=64, sentence=True)
        for command in (["inspect", name], ["verify", name], ["translate", "--run", name],
                        ["token", "show", "--run", name], ["token", "rotate", "--run", name]):
            place.dtrain(*command).expect(code=64, sentence=True)
    for command in (["inspect", "nothing"], ["verify", "nothing"], ["translate", "--run", "nothing"],
                    ["evaluate", "--run", "nothing"], ["token", "show", "--run", "nothing"]):
        place.dtrain(*command).expect(code=64, says="there is no nothing", sentence=True)
    os.makedirs(place.path("mine"))
    place.write("mine/diary.txt", "not a run\n")
    train(place, run="mine").expect(code=64, says="not empty", sentence=True)
    resume(place, run="mine").expect(code=64, says="mine holds none", sentence=True)


@case("names that are no UTF-8, or lead through a link to nothing: one sentence, nothing made")
def names_that_lead_nowhere(place):
    place.write("pairs.tsv", pairs())
    os.symlink("nowhere", place.path("dangling"))
    before = sorted(os.listdir(place.folder))
    train(place, run="dangling/run").expect(code=74, says="dangling is a link to nowhere, which is not there",
                                            sentence=True)
    for line in ("train --run $'b\\xffd'", "train --corpus $'b\\xffd.tsv'", "inspect $'b\\xffd'",
                 "translate --run $'\\xc3'"):
        place.shell("$D " + line).expect(code=64, says="is not UTF-8: give another name", sentence=True)
    if sorted(os.listdir(place.folder)) != before:
        raise Failure(f"there is {os.listdir(place.folder)}")


@case("a folder that may not be written: read, or one sentence")
def read_only(place):
    train(place, steps=4).expect(code=0)
    os.chmod(place.folder, 0o755)
    os.makedirs(place.path("closed"), mode=0o755)
    for root, _, files in os.walk(place.path("run")):
        for name in files:
            if name not in ("token", "coordinator.key"):
                os.chmod(os.path.join(root, name), 0o644)
    powerless = "setpriv --reuid=61234 --regid=61234 --clear-groups --bounding-set=-all $D "
    place.shell(powerless + "inspect run").expect(code=0)
    place.shell(powerless + "verify run --threads 1").expect(code=0)
    place.shell(powerless + "translate --run run", stdin="1 alpha\n").expect(code=0)
    place.shell(powerless + "train --resume --run run --steps 4").expect(code=0, says="done already")
    for line in ("train --resume --run run --steps 8 --insecure", "token rotate --run run"):
        place.shell(powerless + line).expect(code=74, says="Permission denied", sentence="train" not in line)
    options = " ".join(MODEL)
    place.shell(powerless + f"train --corpus pairs.tsv --run closed/run {options} --steps 2").expect(
        code=74, says="closed/run cannot be created: Permission denied", sentence=True)


# Copies of living folders.

FILES = {"text": "text.json", "ledger": "ledger.jsonl", "metrics": "metrics.jsonl", "configuration": "configuration.yaml",
         "identity": "identity", "incarnation": "incarnation", "token": "token"}


def change(place, moments, name, fate):
    """Lets a file of `run`, a copy of the middle moment, be missing, empty, torn, older or newer."""
    target = place.path("run")
    if name == "checkpoint":
        newest = sorted(os.listdir(os.path.join(target, "checkpoints")))[-1]
        path = os.path.join(target, "checkpoints", newest)
        if fate == "newer":
            newer = sorted(os.listdir(place.path(moments[2], "checkpoints")))[-1]
            return shutil.copytree(place.path(moments[2], "checkpoints", newer),
                                   os.path.join(target, "checkpoints", newer))
        if fate == "torn":
            return os.truncate(path + "/optimizer.safetensors", 999)
        shutil.rmtree(path)
        if fate == "empty":
            os.makedirs(path)
        if fate == "older":
            older = sorted(os.listdir(place.path(moments[0], "checkpoints")))[-1]
            shutil.copytree(place.path(moments[0], "checkpoints", older), path)
        return None
    path = os.path.join(target, FILES[name])
    if fate == "missing":
        os.unlink(path)
    elif fate == "empty":
        os.truncate(path, 0)
    elif fate == "torn":
        os.truncate(path, os.path.getsize(path) * 5 // 8)
    else:
        shutil.copy(place.path(moments[0 if fate == "older" else 2], FILES[name]), path)
    return None


@case("each file of a copied folder missing, empty, torn, older, newer: goes on with the same bits")
def every_file(place):
    moments = ["t1", "t2", "t3"]
    options = ["--checkpoint-every", "10", "--keep", "2"]
    whole = train(place, *options, run="whole", steps=60).expect(code=0).digest
    for name, steps in zip(moments, (15, 30, 45)):
        train(place, *options, steps=steps).expect(code=0) if name == "t1" else resume(
            place, "--steps", str(steps)).expect(code=0)
        shutil.copytree(place.path("run"), place.path(name))
    silent = {(name, fate) for name in ("text", "metrics", "configuration", "identity", "incarnation", "token")
              for fate in ("older", "newer")} | {("checkpoint", "missing")} - {("incarnation", "older")}
    for name in [*FILES, "checkpoint"]:
        for fate in ("missing", "empty", "torn", "older", "newer"):
            shutil.rmtree(place.path("run"))
            shutil.copytree(place.path("t2"), place.path("run"))
            change(place, moments, name, fate)
            result = resume(place, "--steps", "60", "--quiet", seconds=10)
            try:
                result.expect(code=0)
                if result.digest != whole:
                    raise Failure("another digest")
                says = re.search(r"Z (the )?(text|ledger|metrics|configuration|identity|incarnation|token|run/)", result.err)
                if (name, fate) not in silent and not says:
                    raise Failure("nothing is said")
            except Failure as failure:
                raise Failure(f"{fate} {name}: {failure}\n{result}") from None


@case("cp -r of a run under way can be gone on with and verified, again and again")
def copied_alive(place):
    started = living(place, every=20)
    for number in range(4):
        place.run("cp", "-r", "run", f"copy{number}")
        time.sleep(0.15)
    started.send(signal.SIGINT).end()
    for number in range(4):
        result = resume(place, "--steps", "3000", "--time-limit", "300ms", run=f"copy{number}", seconds=20)
        if result.code != 0 and "time-limit" in result.text:
            result = resume(place, "--steps", str(lines(place, f"copy{number}/ledger.jsonl") + 50),
                            run=f"copy{number}", seconds=20)
        result.expect(code=0)
        place.dtrain("verify", f"copy{number}", seconds=60).expect(code=0)


@case("SIGKILL at any moment leaves a folder that goes on and holds every line")
def killed(place):
    place.write("pairs.tsv", pairs())
    before = 0
    for round in range(4):
        arguments = ["--corpus", "pairs.tsv", *MODEL] if round == 0 else ["--resume"]
        started = place.start("train", "--run", "run", *arguments, "--steps", "200000", "--checkpoint-every", "15",
                              "--log-every", "1")
        started.wait_for(r"step \d+[05]/")
        time.sleep(0.02 * round)
        kill(started)
        after = lines(place, "run/ledger.jsonl")
        if after < before:
            raise Failure(f"{after} lines after {before}")
        before = after
    resume(place, "--steps", str(before + 5)).expect(code=0, not_says="kept|not whole|missing")
    place.dtrain("verify", "run", "--steps", f"1..{before + 5}", seconds=60).expect(code=0)


@case("settings and every checkpoint lost: refused in one sentence whose command works")
def nothing_left(place):
    train(place).expect(code=0)
    os.truncate(place.path("run/configuration.yaml"), 0)
    shutil.rmtree(place.path("run/checkpoints"))
    said = resume(place).expect(code=65, says="nothing of it can go on", sentence=True)
    command = re.search(r"dtrain (train --run OTHER)", said.err).group(1)
    place.dtrain(*command.split(), "--corpus", "pairs.tsv", *MODEL, "--steps", "2").expect(code=0)
    train(place).expect(code=64, says="not empty", sentence=True)


@case("settings that are not the checkpoint's: refused in one sentence whose command works")
def other_settings(place):
    whole = train(place, run="whole", steps=8).expect(code=0).digest
    train(place).expect(code=0)
    text = place.read("run/configuration.yaml")
    place.write("run/configuration.yaml", text.replace("seed: 1\n", "seed: 2\n"))
    said = resume(place, "--steps", "8").expect(code=65, says="seed 2", sentence=True)
    command = re.search(r"(mv \S+ \S+)", said.err).group(1)
    place.shell(command).expect(code=0)
    if resume(place, "--steps", "8").expect(code=0, says="configuration.yaml is missing").digest != whole:
        raise Failure("another digest")


@case("a damaged token is named with the command that makes another")
def damaged_token(place):
    train(place).expect(code=0)
    os.truncate(place.path("run/token"), 40)
    said = place.dtrain("token", "show", "--run", "run").expect(code=65, says="no whole token", sentence=True)
    place.shell("$D " + re.search(r"dtrain (token rotate --run \S+)", said.err).group(1)).expect(code=0)
    place.dtrain("token", "show", "--run", "run").expect(code=0)
    os.truncate(place.path("run/coordinator.key"), 10)
    said = resume(place, "--steps", "6").expect(code=65, says="holds no key", sentence=True)
    place.shell(re.search(r"(rm \S+)", said.err).group(1)).expect(code=0)
    resume(place, "--steps", "6").expect(code=0, says="workers elsewhere need the new token")


@case("a byte flipped or missing in checkpoint, ledger and metrics: goes on with the same bits")
def flipped(place):
    whole = train(place, "--checkpoint-every", "10", run="whole", steps=40).expect(code=0).digest
    train(place, "--checkpoint-every", "10", steps=30).expect(code=0)
    shutil.copytree(place.path("run"), place.path("first"))
    for name in ("checkpoints/step-000030/model.safetensors", "checkpoints/step-000030/optimizer.safetensors",
                 "checkpoints/step-000030/state.json", "checkpoints/step-000030/manifest.json", "ledger.jsonl",
                 "metrics.jsonl"):
        for way in ("flipped", "missing"):
            shutil.rmtree(place.path("run"))
            shutil.copytree(place.path("first"), place.path("run"))
            with open(place.path("run", name), "rb") as file:
                data = bytearray(file.read())
            if way == "flipped":
                data[len(data) // 2] ^= 4
            else:
                del data[len(data) // 2]
            place.write("run/" + name, bytes(data))
            if resume(place, "--steps", "40", "--quiet").expect(code=0).digest != whole:
                raise Failure(f"{way} in {name}: another digest")


# Formats.


def old_folder(place, name, version="first"):
    """A copy of a folder that an older version made, with its text beside it."""
    if not os.path.exists(place.path("text")):
        shutil.copytree(os.path.join(OLD, "text"), place.path("text"))
    run = place.path(name)
    shutil.copytree(os.path.join(OLD, version, name), run)
    for secret in ("token", "coordinator.key"):
        os.chmod(os.path.join(run, secret), 0o600)
    path = os.path.join(run, "configuration.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("/tmp/dtrain-folders", place.folder))
    return run


def used(place, version):
    """Copies of a version's folders that are inspected and used as they were then, with their facts."""
    with open(os.path.join(OLD, version, "expected.json"), encoding="utf-8") as file:
        expected = json.load(file)["folders"]
    for name, facts in expected.items():
        run = old_folder(place, name, version)
        place.dtrain("inspect", run).expect(code=0, says=[facts["digest"], f"step +{facts['step']}"])
        if "translate" in facts:
            result = place.dtrain("translate", "--run", run, "--threads", "1", "text/lines.txt")
            wanted = facts["translate"]
        else:
            result = place.dtrain("generate", "--run", run, "--prompt", "The old", "--temperature", "0",
                                  "--length", "12", "--threads", "1")
            wanted = facts["generate"]
        if result.expect(code=0).out != wanted:
            raise Failure(f"{name}: another output\n{result}")
        yield name, run, facts


@case("run folders of the first version are inspected and used; verify and --resume name what can go on")
def first_version(place):
    for _, run, facts in used(place, "first"):
        place.dtrain("verify", run).expect(code=65, says="arithmetic 1 .*use the dtrain that wrote it")
        resume(place, "--steps", str(facts["resumed"]["steps"]), "--quiet", run=run).expect(
            code=65, says="arithmetic 1 .*use the dtrain that wrote it")


@case("run folders of the second version are inspected, used, verified and gone on with")
def second_version(place):
    for name, run, facts in used(place, "second"):
        place.dtrain("verify", run).expect(code=0)
        result = resume(place, "--steps", str(facts["resumed"]["steps"]), "--quiet", run=run)
        if result.expect(code=0).out.splitlines()[-1] != facts["resumed"]["last"]:
            raise Failure(f"{name}: not '{facts['resumed']['last']}'\n{result}")


@case("a newer format of folder, checkpoint, ledger or token is refused, naming what can read it")
def newer_formats(place):
    train(place).expect(code=0)
    shutil.copytree(place.path("run"), place.path("first"))

    def anew():
        shutil.rmtree(place.path("run"))
        shutil.copytree(place.path("first"), place.path("run"))

    text = place.read("run/configuration.yaml")
    place.write("run/configuration.yaml", re.sub(r"format \d+, written by .*", "format 999, written by dtrain 9.1.0",
                                                 text, count=1))
    for command in (["train", "--resume", "--run", "run", "--steps", "9"], ["inspect", "run"], ["verify", "run"],
                    ["translate", "--run", "run"]):
        place.dtrain(*command).expect(code=65, says="format 999.*written by dtrain 9.1.0", sentence=True)
    anew()
    manifest = "run/checkpoints/step-000004/manifest.json"
    facts = json.loads(place.read(manifest))
    facts.update(format=999, software="dtrain 9.1.0")
    place.write(manifest, json.dumps(facts))
    for command in (["train", "--resume", "--run", "run", "--steps", "9"], ["inspect", "run"],
                    ["translate", "--run", "run"]):
        place.dtrain(*command).expect(code=65, says="format 999.*written by dtrain 9.1.0", sentence=True)
    anew()
    place.shell("""python3 - <<'END'
import hashlib
lines = open("run/ledger.jsonl").read().splitlines()
body = "{" + lines[-1].split(",", 1)[1].replace('"format":1', '"format":999')
lines[-1] = '{"check":"' + hashlib.sha256(body.encode()).hexdigest()[:16] + '",' + body[1:]
open("run/ledger.jsonl", "w").write("\\n".join(lines) + "\\n")
END""").expect(code=0)
    for command in (["train", "--resume", "--run", "run", "--steps", "9"], ["verify", "run"]):
        place.dtrain(*command).expect(code=65, says="ledger.jsonl has format 999.*a newer dtrain", sentence=True)
    anew()
    token = place.read("run/token").replace("dtrain1-", "dtrain2-")
    place.write("run/token", token)
    os.chmod(place.path("run/token"), 0o600)
    for command in (["train", "--resume", "--run", "run", "--steps", "9"], ["token", "show", "--run", "run"],
                    ["worker", "--connect", "tcp://127.0.0.1:1", "--wait", "1s", "--token", token.strip()]):
        place.dtrain(*command).expect(code=65, says="format 2.*a newer dtrain", sentence=True)


# Losses.

BACKUP = ["configuration.yaml", "text.json", "ledger.jsonl", "identity", "incarnation", "coordinator.key", "token"]


@case("the coordinator's disk is lost: one sentence on both sides, and back from the files that the page names")
def disk_lost(place):
    place.write("pairs.tsv", pairs())
    page = open(os.path.join(HERE, "..", "..", "Sources", "dtrain", "dtrain.docc", "RunFolder.md")).read()
    for name in BACKUP:
        if name not in re.search(r"rsync -aR (.*)", page).group(1).split():
            raise Failure(f"the page does not name {name}")
    options = ["coordinator", "--corpus", "pairs.tsv", "--run", "run", *MODEL, "--bind", "tcp://127.0.0.1:0",
               "--checkpoint-every", "30", "--log-every", "1", "--steps", "100000"]
    coordinator = place.start(*options).wait_for("listening on")
    address = re.search(r"listening on (tcp://\S+\d)", coordinator.text).group(1)
    shutil.copy(place.path("run/token"), place.path("token"))
    worker = place.start("worker", "--connect", address, "--token-file", "token", "--threads", "1")
    coordinator.wait_for("step 30: saved")
    # The disk of the coordinator's host goes in one moment, and what was copied before is all there is.
    coordinator.send(signal.SIGSTOP)
    os.makedirs(place.path("backup/checkpoints"))
    for name in BACKUP:
        shutil.copy(place.path("run", name), place.path("backup", name))
    newest = sorted(name for name in os.listdir(place.path("run/checkpoints")) if name.startswith("step-"))[-1]
    shutil.copytree(place.path("run/checkpoints", newest), place.path("backup/checkpoints", newest))
    shutil.rmtree(place.path("run"))
    coordinator.send(signal.SIGCONT)
    coordinator.wait_for("the ledger was not written.*ledger.jsonl.*No such file")
    kill(coordinator)
    worker.wait_for("no coordinator at tcp://")
    place.dtrain("coordinator", "--resume", "--run", "run", "--bind", address).expect(
        code=64, says="finds no run", sentence=True)
    os.rename(place.path("backup"), place.path("run"))
    # Further than what the worker may know.
    steps = lines(place, "run/ledger.jsonl") + 200
    whole = train(place, run="whole", steps=steps).expect(code=0).digest
    back = place.start("coordinator", "--resume", "--run", "run", "--bind", address, "--steps", str(steps))
    result = back.end(seconds=30).expect(code=0, says="joined")
    worker.end().expect(code=0)
    if result.digest != whole:
        raise Failure("another digest")
    place.dtrain("verify", "run").expect(code=0)


@case("the folder is removed under a living run: it says so, and Ctrl-C ends it")
def removed_alive(place):
    started = living(place)
    shutil.rmtree(place.path("run"), ignore_errors=True)
    started.wait_for("the ledger was not written.*ledger.jsonl cannot be written: No such file")
    started.send(signal.SIGINT)
    started.end(seconds=15).expect(code=74)
