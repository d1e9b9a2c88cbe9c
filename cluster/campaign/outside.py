"""What happens to a run from outside: its files, its coordinator's disk, its text, its clock, the share of a
processor and the limits that it is given, and workers of another version.

Each fault has a run of its own with a coordinator and two workers. It is good when the run comes to the
bits of an undisturbed one, or when whoever cannot go on says so in one sentence with a code of its own.
"""
import json
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import time

import ledger
from processes import Failure
from run import Run

HERE = os.path.dirname(os.path.abspath(__file__))
TEXT = os.path.join(HERE, "..", "..", "Sources", "CEmbeddedText", "demo.en-fr.tsv")
# What brings a run back, as the page on run folders lists it.
PAGE = os.path.join(HERE, "..", "..", "Sources", "dtrain", "dtrain.docc", "RunFolder.md")
# Seconds within which a run must get over anything.
PATIENCE = 60
# The final step is a multiple of this, at which the undisturbed run has a checkpoint.
STRIDE = 50

KINDS = {
    "a byte flipped in the newest checkpoint": 9, "a byte missing in the newest checkpoint": 9,
    "a byte flipped in the middle of the ledger": 9, "a byte missing in the middle of the ledger": 9,
    "a byte flipped in metrics": 4, "a byte missing in metrics": 4,
    "the coordinator's disk lost": 8, "a worker slowed to a tenth": 4,
    "a worker of the version before": 6, "a coordinator of the version before": 4,
    "the clock put forward": 6, "the clock put back": 6,
    "the text replaced, the run goes on": 6, "the text replaced, the run is resumed": 7,
    "a worker's descriptors limited": 5, "the coordinator's descriptors limited": 5,
    "a worker's processes limited": 3, "the coordinator's processes limited": 2,
}
OLDER = ("a worker of the version before", "a coordinator of the version before")


def plan(count, dice, has_older):
    """So many kinds in shuffled order, each as often as its weight says, every one of them early."""
    weights = {kind: weight for kind, weight in KINDS.items() if has_older or kind not in OLDER}
    kinds = list(weights)
    dice.shuffle(kinds)
    kinds = kinds[:count]
    total = sum(weights.values())
    rest = [kind for kind, weight in weights.items() for _ in range(round(weight / total * count) - 1)]
    dice.shuffle(rest)
    kinds += rest
    while len(kinds) < count:
        kinds.append(dice.choices(list(weights), list(weights.values()))[0])
    return kinds[:count]


class Ended:
    """A process that has ended by itself; the sentence that it says, if it says just one."""

    def __init__(self, child):
        self.child, self.code = child, child.code
        said = [line for line in child.lines() if line.startswith("dtrain: ")]
        # What stands on a line of its own without a time is a crash's, or the loader's.
        self.noise = [line for line in child.lines() if re.search(
            r"Fatal error|Backtrace|Illegal instruction|terminate called|\w+Error\.", line)]
        self.sentence = said[0] if len(said) == 1 and not self.noise else None

    def must(self, codes, phrase):
        if self.code not in codes or not self.sentence or not re.search(phrase, self.sentence):
            raise Failure(f"not one sentence about /{phrase}/ with a code of {codes}\n{self.child.tail(30)}")
        return f"one sentence, {self.code}"


class Truth:
    """The undisturbed run, which grows as later steps are asked for."""

    def __init__(self, stage, common):
        self.stage, self.common = stage, common
        self.steps, self.lives = 0, 0
        self.path = stage.path("undisturbed", "ledger.jsonl")

    def digest(self, step):
        if step > self.steps:
            self.steps = step + 4 * STRIDE
            self.lives += 1
            arguments = ["train", "--run", "undisturbed", "--steps", str(self.steps), "--workers", "1"]
            arguments += ["--resume"] if self.lives > 1 else self.common + [
                "--checkpoint-every", str(STRIDE), "--keep", "1000000"]
            child = self.stage.start(f"undisturbed-{self.lives}", arguments)
            if child.process.wait(120 + self.steps) != 0:
                raise Failure(f"the undisturbed run\n{child.tail()}")
            entries, faults = ledger.read(self.path)
            if faults:
                raise Failure(f"the undisturbed ledger: {faults[:3]}")
            self.entries = {entry["step"]: entry for entry in entries}
        folder = self.stage.path("undisturbed", "checkpoints", f"step-{step:06}")
        with open(os.path.join(folder, "manifest.json")) as file:
            return json.load(file)["digest"]


class Outside:
    def __init__(self, stage, options):
        self.stage, self.options = stage, options
        self.dice = random.Random(options.seed)
        self.count = 0
        with open(TEXT, encoding="utf-8") as file:
            self.text = "".join(file.readlines()[:1500])
        self.write("truth.tsv", self.text)
        self.common = options.common + ["--shards", "4"]
        self.truth = Truth(stage, ["--corpus", stage.path("truth.tsv")] + self.common)
        self.shim = None

    def write(self, name, text):
        with open(self.stage.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    # A fault.

    def happen(self, kind):
        """Has one fault of `kind`; returns what became of it: "same digest", or a sentence and its code."""
        self.count += 1
        self.name = f"run-{self.count}"
        self.write(self.name + ".tsv", self.text)
        self.run = Run(self.stage, self.name, ["--corpus", self.name + ".tsv"] + self.common + [
            "--workers", "2", "--steps", "1000000000", "--keep", "3", "--checkpoint-every", "20",
            "--log-every", "100", "--peer-timeout", f"{self.options.peer_timeout}s"])
        method = re.sub(r"[^a-z]+", "_", kind)
        try:
            outcome = getattr(self, method)()
            self.forget()
            return outcome
        finally:
            for child in self.stage.children:
                if child.is_alive:
                    child.send(signal.SIGKILL)
                    child.process.wait(10)

    def forget(self):
        """A fault that went well leaves nothing."""
        self.stage.children.clear()
        shutil.rmtree(self.stage.path(self.name), ignore_errors=True)
        if os.path.exists(self.stage.path(self.name + ".tsv")):
            os.unlink(self.stage.path(self.name + ".tsv"))

    def begin(self, workers=2):
        self.run.start_coordinator()
        self.run.find_address()
        for _ in range(workers):
            self.run.start_worker()
        if workers:
            self.reach(self.dice.randrange(45, 140))
            self.run.until(lambda: self.checkpoints(), PATIENCE, "checkpoint")

    def reach(self, step):
        self.run.until(lambda: self.run.tail.last[1] >= step, PATIENCE, f"step {step}")

    def kill(self, workers=True):
        for child in [self.run.coordinator] + (self.run.workers if workers else []):
            child.send(signal.SIGKILL)
            child.process.wait(10)
        if workers:
            self.run.workers = []

    def resume(self, *more):
        """Takes the run up again; returns None while it runs, or its end."""
        self.run.start_coordinator(more, resume=True)
        child = self.run.coordinator
        deadline = time.monotonic() + PATIENCE
        while child.is_alive and not any("listening on" in line for line in child.lines()):
            if time.monotonic() > deadline:
                raise Failure(f"{child.name} neither listens nor ends\n{child.tail()}")
            time.sleep(0.01)
        return None if child.is_alive else Ended(child)

    def finish(self, is_stopped=False):
        """Lets the run come to its end and compares it with the undisturbed one."""
        if not is_stopped:
            self.stop()
        last = (self.saved() // STRIDE + 1) * STRIDE
        ended = self.resume("--steps", str(last), "--workers", "1")
        if ended:
            raise Failure(f"the run could not be resumed\n{ended.child.tail(30)}")
        self.run.start_worker()
        self.run.until(lambda: not self.run.coordinator.is_alive or self.run.tail.last[1] >= last,
                       PATIENCE + last / 10, f"step {last}")
        self.run.wait_for_end(PATIENCE, "after the last step")
        self.compare(last)
        return "same digest"

    def stop(self):
        """SIGTERM. Who has not been let in by then would wait for the next coordinator."""
        self.run.until(lambda: all(worker.is_welcomed for worker in self.run.workers), PATIENCE, "welcome of all")
        # They may have been welcomed by the coordinator before.
        self.run.until(lambda: sum(" joined from " in line for line in self.run.coordinator.lines())
                       >= len(self.run.running), PATIENCE, "all workers with this coordinator")
        self.run.stop()

    def saved(self):
        """The newest step that is known on disk."""
        return max([int(name[5:]) for name in self.checkpoints()] + [self.run.tail.last[1]])

    def checkpoints(self):
        folder = self.stage.path(self.name, "checkpoints")
        return sorted(name for name in os.listdir(folder) if name.startswith("step-"))

    def compare(self, last):
        truth = self.truth.digest(last)
        step, digest = self.run.digest()
        if (step, digest) != (last, truth):
            raise Failure(f"step {step} has the digest {digest}, step {last} of the undisturbed run {truth}")
        entries, faults = ledger.read(self.run.tail.path)
        # A ledger that was lost begins anew behind a checkpoint: its lines are of other numbers.
        faults = [fault for fault in faults if "is of step" not in fault]
        for entry in entries:
            true = self.truth.entries[entry["step"]]
            faults += [f"step {entry['step']} differs in {name}"
                       for name in ("samples", "state", "total", "loss", "verdict") if entry[name] != true[name]]
        steps = [entry["step"] for entry in entries]
        if steps != list(range(steps[0], last + 1)):
            faults.append(f"the ledger has not the steps {steps[0]}..{last}, each once")
        if faults:
            raise Failure(f"the ledger: {'; '.join(faults[:4])}")

    # Files.

    def damage(self, path, how):
        with open(path, "rb") as file:
            data = bytearray(file.read())
        place = self.dice.randrange(len(data) // 4, max(1 + len(data) // 4, len(data) * 3 // 4))
        if how == "flipped":
            data[place] ^= 1 << self.dice.randrange(8)
        else:
            del data[place]
        with open(path, "wb") as file:
            file.write(data)

    def damaged(self, how, find):
        """A byte of the file that `find` finds goes wrong behind the back of a run that is then killed, or
        between two lives of it."""
        self.begin()
        is_alive = self.dice.random() < 0.3
        if is_alive:
            os.kill(self.run.coordinator.pid, signal.SIGSTOP)
            self.damage(find(), how)
        self.kill()
        if not is_alive:
            self.damage(find(), how)
        # What is found of the ledger from here on is another file's.
        self.run.tail = type(self.run.tail)(self.run.tail.path)
        ended = self.resume()
        if ended:
            return ended.must((64, 65), "dtrain|restore|take")
        for _ in range(2):
            self.run.start_worker()
        self.settle()
        return self.finish()

    def settle(self):
        """Lets some steps be committed, whatever their numbers are."""
        path = self.stage.path(self.name, "ledger.jsonl")
        begin = os.stat(path).st_size if os.path.exists(path) else 0
        self.run.until(lambda: os.path.exists(path) and os.stat(path).st_size > begin, PATIENCE, "further step")

    def newest(self):
        names = ["model.safetensors", "optimizer.safetensors", "tokenizer.model", "state.json", "manifest.json"]
        return self.stage.path(self.name, "checkpoints", self.checkpoints()[-1], self.dice.choice(names))

    def a_byte_flipped_in_the_newest_checkpoint(self):
        return self.damaged("flipped", self.newest)

    def a_byte_missing_in_the_newest_checkpoint(self):
        return self.damaged("missing", self.newest)

    def a_byte_flipped_in_the_middle_of_the_ledger(self):
        return self.damaged("flipped", lambda: self.stage.path(self.name, "ledger.jsonl"))

    def a_byte_missing_in_the_middle_of_the_ledger(self):
        return self.damaged("missing", lambda: self.stage.path(self.name, "ledger.jsonl"))

    def a_byte_flipped_in_metrics(self):
        return self.damaged("flipped", lambda: self.stage.path(self.name, "metrics.jsonl"))

    def a_byte_missing_in_metrics(self):
        return self.damaged("missing", lambda: self.stage.path(self.name, "metrics.jsonl"))

    def the_coordinator_s_disk_lost(self):
        """The folder goes under a living coordinator; it comes back from what the page says to copy."""
        self.begin()
        with open(PAGE, encoding="utf-8") as file:
            names = re.search(r"rsync -aR (.*) \"", file.read()).group(1).split()
        folder, backup = self.stage.path(self.name), self.stage.path(self.name + "-backup")
        token = self.stage.path("token-" + self.name)
        shutil.copy(os.path.join(folder, "token"), token)
        os.makedirs(os.path.join(backup, "checkpoints"))
        for name in names:
            shutil.copy(os.path.join(folder, name), os.path.join(backup, name))
        newest = os.path.dirname(self.newest())
        try:
            shutil.copytree(newest, os.path.join(backup, "checkpoints", os.path.basename(newest)))
        except (shutil.Error, FileNotFoundError):
            # A later one has taken its place while it was copied.
            shutil.rmtree(os.path.join(backup, "checkpoints"))
            newest = os.path.dirname(self.newest())
            shutil.copytree(newest, os.path.join(backup, "checkpoints", os.path.basename(newest)))
        coordinator, workers = self.run.coordinator, list(self.run.workers)
        while os.path.exists(folder):
            shutil.rmtree(folder, ignore_errors=True)
        self.says(coordinator, r"the ledger was not written.*No such file")
        self.kill(workers=False)
        for worker in workers:
            self.says(worker, r"no coordinator at tcp://|connection to the coordinator is lost")
        ended = self.resume()
        if not ended:
            raise Failure("a run without a folder was resumed")
        ended.must((64,), "finds no run")
        os.rename(backup, folder)
        self.run.tail = type(self.run.tail)(self.run.tail.path)
        ended = self.resume()
        if ended:
            raise Failure(f"the copied files do not bring it back\n{ended.child.tail()}")
        self.settle()
        os.unlink(token)
        return self.finish()

    def says(self, child, phrase):
        self.run.until(lambda: any(re.search(phrase, line) for line in child.lines()), PATIENCE, f"/{phrase}/")

    # Time.

    def a_worker_slowed_to_a_tenth(self):
        self.begin()
        victim = self.dice.choice(self.run.workers)
        before, end = self.run.tail.last[1], time.monotonic() + self.options.slow_seconds
        while time.monotonic() < end:
            os.kill(victim.pid, signal.SIGSTOP)
            time.sleep(0.045)
            os.kill(victim.pid, signal.SIGCONT)
            time.sleep(0.005)
            self.run.look()
        if self.run.tail.last[1] <= before:
            raise Failure(f"no step in {self.options.slow_seconds} s\n{self.run.account()}")
        if any("is gone after" in line for line in self.run.coordinator.lines()):
            raise Failure(f"somebody was excluded for being slow\n{self.run.coordinator.tail(30)}")
        return self.finish()

    def clock(self):
        """The file whose seconds the shim adds; processes that start from here on see it."""
        if self.shim is None:
            self.shim = self.stage.path("clock.so")
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.shim, os.path.join(HERE, "clock.c"), "-ldl"],
                           check=True)
        shift = self.stage.path("clock")
        self.shift(0)
        self.stage.environment.update(LD_PRELOAD=self.shim, DTRAIN_CHAOS_CLOCK=shift)

    def shift(self, seconds):
        # In place: the processes have mapped the file.
        path = self.stage.path("clock")
        with open(path, "r+b" if os.path.exists(path) else "w+b") as file:
            file.write(struct.pack("<q", seconds))

    def moved(self, spans):
        self.clock()
        try:
            self.begin()
            if not self.dice.randrange(3):
                self.run.start_worker()
            for span in spans:
                self.shift(span)
                self.reach(self.run.tail.last[1] + self.dice.randrange(20, 60))
            if any("is gone after" in line for line in self.run.coordinator.lines()):
                raise Failure(f"somebody was excluded when the clock moved\n{self.run.coordinator.tail(30)}")
            return self.finish()
        finally:
            for name in ("LD_PRELOAD", "DTRAIN_CHAOS_CLOCK"):
                self.stage.environment.pop(name)

    def the_clock_put_forward(self):
        hour, day = 3600, 86_400
        return self.moved([self.dice.choice([61, hour, day, 400 * day]), 20 * 365 * day])

    def the_clock_put_back(self):
        hour, day = 3600, 86_400
        return self.moved([-self.dice.choice([61, hour, day]), -self.dice.choice([400 * day, 40 * 365 * day])])

    # Another version.

    def a_worker_of_the_version_before(self):
        self.begin()
        older = self.start_as(self.options.older, "older-worker", [
            "worker", "--connect", self.run.address, "--token-file", self.name + "/token", "--threads", "1",
            "--wait", "20s"])
        outcome = self.ended(older).must((1,), "refuses this worker|other version|protocol")
        self.says(self.run.coordinator, "was refused|refus")
        self.finish()
        return outcome

    def a_coordinator_of_the_version_before(self):
        name, product = self.stage.product, self.options.older
        older = self.start_as(product, "older-coordinator", [
            "coordinator", "--run", self.name + "-older", "--bind", "tcp://127.0.0.1:0", "--workers", "1",
            "--steps", "100"] + self.common)
        self.says_child(older, "listening on")
        address = re.search(r"listening on (tcp://[^ :]+:\d+)", "\n".join(older.lines())).group(1)
        worker = self.start_as(name, "newer-worker", [
            "worker", "--connect", address, "--token-file", self.name + "-older/token", "--wait", "20s"])
        outcome = self.ended(worker).must((1,), "refuses this worker|version|protocol")
        older.send(signal.SIGTERM)
        older.process.wait(20)
        shutil.rmtree(self.stage.path(self.name + "-older"))
        return outcome

    def start_as(self, product, name, arguments, prefix=()):
        """Starts a program, the run's own or an older one, whose end is its own affair."""
        kept, self.stage.product = self.stage.product, (prefix or [product])[0]
        try:
            return self.stage.start(f"{self.name}-{name}", ([*prefix[1:], product] if prefix else []) + arguments)
        finally:
            self.stage.product = kept

    def says_child(self, child, phrase):
        deadline = time.monotonic() + PATIENCE
        while not any(re.search(phrase, line) for line in child.lines()):
            if time.monotonic() > deadline or not child.is_alive:
                raise Failure(f"did not say /{phrase}/\n{child.tail()}")
            time.sleep(0.02)

    def ended(self, child):
        deadline = time.monotonic() + PATIENCE
        while child.is_alive:
            if time.monotonic() > deadline:
                raise Failure(f"{child.name} did not end\n{child.tail()}")
            if self.run.coordinator:
                self.run.look()
            time.sleep(0.01)
        return Ended(child)

    # The text.

    def replace_text(self):
        path = self.stage.path(self.name + ".tsv")
        way = self.dice.choice(["rename", "write", "truncate", "remove", "one line"])
        lines = self.text.splitlines(keepends=True)
        if way == "one line":
            lines[self.dice.randrange(len(lines))] = "another sentence\tune autre phrase\n"
            self.write(self.name + ".tsv", "".join(lines))
        elif way == "rename":
            self.write(self.name + ".new", "".join(reversed(lines)))
            os.rename(self.stage.path(self.name + ".new"), path)
        elif way == "write":
            self.write(self.name + ".tsv", "".join(lines[100:] + lines[:100]))
        elif way == "truncate":
            os.truncate(path, os.path.getsize(path) // 2)
        else:
            os.unlink(path)

    def the_text_replaced_the_run_goes_on(self):
        self.begin()
        self.replace_text()
        self.reach(self.run.tail.last[1] + 60)
        self.run.start_worker()
        self.stop()
        self.write(self.name + ".tsv", self.text)
        return self.finish(is_stopped=True)

    def the_text_replaced_the_run_is_resumed(self):
        self.begin()
        self.replace_text()
        self.kill()
        ended = self.resume()
        if not ended:
            raise Failure("another text was trained on")
        outcome = ended.must((65, 74), re.escape(self.name + ".tsv"))
        self.write(self.name + ".tsv", self.text)
        self.finish(is_stopped=True)
        return outcome

    # Limits.

    def limit(self, pid, what, value):
        _, hard = resource.prlimit(pid, what)
        resource.prlimit(pid, what, (value, hard))

    def open_files(self, pid):
        return len(os.listdir(f"/proc/{pid}/fd"))

    def a_worker_s_descriptors_limited(self):
        """A living worker may open no more than it has, and its ring changes; another starts with few."""
        self.begin()
        victim = self.run.workers[0]
        self.limit(victim.pid, resource.RLIMIT_NOFILE, self.open_files(victim.pid) + self.dice.randrange(0, 3))
        few = self.start_as(self.stage.product, "few", [
            "worker", "--connect", self.run.address, "--token-file", self.name + "/token", "--threads", "1"],
            prefix=["/usr/bin/prlimit", f"--nofile={self.dice.choice([4, 6, 9, 14, 20, 30])}"])
        return self.limited([victim, few])

    def the_coordinator_s_descriptors_limited(self):
        self.begin()
        coordinator = self.run.coordinator
        self.limit(coordinator.pid, resource.RLIMIT_NOFILE,
                   self.open_files(coordinator.pid) + self.dice.randrange(-2, 3))
        return self.limited([coordinator])

    def a_worker_s_processes_limited(self):
        """As somebody who may have few threads: whoever may do all is not bound."""
        self.begin()
        with open(self.stage.path(self.name, "token")) as file:
            token = file.read().strip()
        os.chmod(self.stage.folder, 0o755)
        worker = self.start_as(self.stage.product, "few", [
            "worker", "--connect", self.run.address, "--token", token, "--threads", "4"],
            prefix=["/usr/bin/setpriv", f"--reuid={60_000 + self.count}", f"--regid={60_000 + self.count}",
                    "--clear-groups", "/usr/bin/prlimit", f"--nproc={self.dice.randrange(1, 7)}"])
        return self.limited([worker])

    def the_coordinator_s_processes_limited(self):
        os.chmod(self.stage.folder, 0o755)
        number, folder = 60_000 + self.count, self.stage.path(self.name + "-home")
        os.makedirs(folder)
        os.chown(folder, number, number)
        arguments = ["train", "--run", os.path.join(folder, "run"), "--workers", "2", "--threads", "1", "--steps",
                     str(STRIDE), "--corpus", self.stage.path(self.name + ".tsv")] + self.common
        prefix = ["/usr/bin/setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "/usr/bin/prlimit"]
        child = self.start_as(self.stage.product, "few", arguments,
                              prefix=[*prefix, f"--nproc={self.dice.randrange(1, 9)}"])
        outcome = self.ended(child)
        shutil.rmtree(folder)
        if outcome.code == 0:
            return "same digest"
        return outcome.must((71,), "refuses .*(ulimit -u|processes)")

    def limited(self, victims):
        """The ring changes under the limit; whoever ends says why, and the run goes on without them."""
        # Their end is no surprise to the run.
        self.run.workers = [child for child in self.run.workers if child not in victims]
        others = list(self.run.workers)
        self.run.coordinator.is_killed = self.run.coordinator in victims
        self.run.start_worker()
        outcomes = []

        def look():
            for victim in list(victims):
                if not victim.is_alive:
                    victims.remove(victim)
                    outcomes.append(Ended(victim).must((71,), "refuses .*(ulimit -n|ulimit -u|open files|processes)"))
            return False
        watch = time.monotonic() + 3
        self.run.until(lambda: look() or time.monotonic() > watch, PATIENCE, "end of the watch")
        if others:
            others[0].send(signal.SIGKILL)
        watch = time.monotonic() + 3
        self.run.until(lambda: look() or time.monotonic() > watch, PATIENCE, "end of the watch")
        for victim in victims:
            if victim is not self.run.coordinator:
                victim.send(signal.SIGKILL)
                victim.process.wait(10)
        if not self.run.coordinator.is_alive:
            self.kill()
            self.finish(is_stopped=True)
            return outcomes[0]
        self.limit(self.run.coordinator.pid, resource.RLIMIT_NOFILE, 1024)
        mark = self.run.tail.last[1]
        self.run.start_worker()
        self.reach(mark + 10)
        digest = self.finish()
        return outcomes[0] if outcomes else digest


def campaign(stage, options, say):
    """Has `options.outside` faults; returns a row for each kind. Raises Failure."""
    outside = Outside(stage, options)
    rows = {}
    kinds = plan(options.outside, outside.dice, options.older is not None)
    if options.only:
        kinds = [outside.dice.choice(options.only) for _ in kinds]
    for number, kind in enumerate(kinds, 1):
        begin = time.monotonic()
        try:
            outcome = outside.happen(kind)
        except Failure as failure:
            raise Failure(f"fault {number}, {kind}: {failure}") from None
        seconds = time.monotonic() - begin
        say(options, f"{number:4} of {len(kinds)}: {kind}: {outcome}, {seconds:.0f} s")
        row = rows.setdefault(kind, dict(kind=kind, faults=0, outcomes={}, longest_s=0))
        row["faults"] += 1
        row["outcomes"][outcome] = row["outcomes"].get(outcome, 0) + 1
        row["longest_s"] = round(max(row["longest_s"], seconds), 1)
    left = stage.remains()
    if left:
        raise Failure("left behind: " + ", ".join(left))
    return dict(ok=True, seed=options.seed, faults=len(kinds), has_older=options.older is not None,
                kinds=[rows[kind] for kind in KINDS if kind in rows])


def table(result):
    """The rows for people, as the documentation has them."""
    lines = ["| from outside | faults | what became of them | longest |", "|---|---|---|---|"]
    for row in result["kinds"]:
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(row["outcomes"].items()))
        lines.append(f"| {row['kind']} | {row['faults']} | {outcomes} | {row['longest_s']:.0f} s |")
    lines.append(f"{result['faults']} faults, seed {result['seed']}: each ended with the undisturbed run's bits, "
                 "or with one sentence")
    if not result["has_older"]:
        lines.append("no other version took part: give --older PATH")
    return "\n".join(lines)
