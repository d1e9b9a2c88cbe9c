"""What a case of check-field is made of.

A case is a function with a place to work in:

    @case("issue-like sentence of the kind that it holds")
    def blank_last_line(place):
        place.write("pairs.tsv", PAIRS + "\n\n")
        result = place.dtrain("train", "--corpus", "pairs.tsv", "--run", "a", *TOY, "--steps", "3")
        result.expect(code=0, says="1 blank line")

`place.dtrain` runs the product in a folder of the case's own with no terminal and a deadline of
`seconds`; `place.start` starts it and leaves it running; `result.expect` compares. A case fails by an
exception; what still runs when it ends is ended, and counts as a failure.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

ALL = []

# A model that trains within a second.
TOY = ("--d-model 32 --layers 1 --heads 2 --d-ff 64 --batch-tokens 512 --validate-every 0 "
       "--threads 1").split()

# What a person must never read: a crash, a Swift type, a type's description.
FORBIDDEN = re.compile(r"Fatal error|Illegal instruction|Backtrace|Stack dump|terminate called|"
                       r"Assertion|\w+Error\.|Optional\(|\b[a-z]\w*\([a-z]\w*: ")


class Failure(Exception):
    """The product did something else than it should."""


class Case:
    def __init__(self, function, kind):
        self.function, self.kind = function, kind
        self.name = function.__name__
        self.subject = function.__module__


def case(kind):
    """Makes a function a case; `kind` is the sentence that it holds."""
    def add(function):
        ALL.append(Case(function, kind))
        return function
    return add


def pairs(count=300):
    """`count` different lines of a made-up language and its translation."""
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu".split()
    lines = []
    for number in range(count):
        chosen = [words[(number * 7 + k * k * (number % 5 + 1)) % len(words)] for k in range(3 + number % 4)]
        lines.append(f"{number} {' '.join(chosen)}\t{' '.join(reversed(chosen)).upper()} {number}")
    return "\n".join(lines) + "\n"


class Result:
    """An ended process: `code` (minus the signal's number), `out`, `err` as text, `seconds`."""

    def __init__(self, command, code, out, err, seconds):
        self.command, self.code, self.seconds = command, code, seconds
        self.out, self.err = out, err

    @property
    def text(self):
        return self.err + self.out

    def expect(self, code=None, says=(), not_says=(), within=None, sentence=False):
        """Compares with what must be: an exit code (or several), phrases (regular expressions, case ignored)
        in output or errors, phrases that must not be there; `sentence`: standard error is one line."""
        says = [says] if isinstance(says, str) else says
        not_says = [not_says] if isinstance(not_says, str) else not_says
        codes = code if isinstance(code, (tuple, list)) or code is None else (code,)
        if codes is not None and self.code not in codes:
            raise Failure(f"code {self.code} instead of {code}\n{self}")
        for phrase in says:
            if not re.search(phrase, self.text, re.IGNORECASE):
                raise Failure(f"nothing says /{phrase}/\n{self}")
        for phrase in not_says:
            if re.search(phrase, self.text, re.IGNORECASE):
                raise Failure(f"something says /{phrase}/\n{self}")
        if FORBIDDEN.search(self.err):
            raise Failure(f"no sentence for a person: {FORBIDDEN.search(self.err).group(0)}\n{self}")
        if within is not None and self.seconds > within:
            raise Failure(f"{self.seconds:.1f} s instead of {within}\n{self}")
        if sentence and len(self.err.strip().splitlines()) != 1:
            raise Failure(f"not one line of errors\n{self}")
        return self

    @property
    def digest(self):
        """The digest that a training or `inspect` says last."""
        found = re.findall(r"digest ([0-9a-f]{64})", self.out)
        if not found:
            raise Failure(f"no digest\n{self}")
        return found[-1]

    def __str__(self):
        def lines(text):
            rows = text.splitlines()
            rows = rows if len(rows) <= 16 else rows[:4] + [f"… {len(rows) - 12} lines …"] + rows[-8:]
            return "\n".join("    | " + row[:240] for row in rows)
        return f"    $ {' '.join(self.command)}   -> {self.code}\n{lines(self.out)}\n{lines(self.err)}"


class Started:
    """A process that still runs."""

    def __init__(self, place, command, environment, folder):
        self.place, self.command, self.begin = place, command, time.monotonic()
        name = f"process-{len(place.started)}"
        self.paths = [place.hidden(f"{name}.{stream}") for stream in ("out", "err")]
        with open(self.paths[0], "wb") as out, open(self.paths[1], "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=environment, cwd=folder)

    @property
    def text(self):
        return "".join(open(path, errors="replace").read() for path in self.paths)

    def wait_for(self, phrase, seconds=20):
        """Returns once the process has said /phrase/; fails when it ends before or takes longer."""
        deadline = time.monotonic() + seconds
        while not re.search(phrase, self.text):
            if self.process.poll() is not None and not re.search(phrase, self.text):
                raise Failure(f"ended with {self.process.returncode} before it said /{phrase}/\n{self.text[-2000:]}")
            if time.monotonic() > deadline:
                raise Failure(f"did not say /{phrase}/ within {seconds} s\n{self.text[-2000:]}")
            time.sleep(0.01)
        return self

    def send(self, number):
        self.process.send_signal(number)
        return self

    def end(self, seconds=20):
        """Waits for the end; returns the result."""
        begin = time.monotonic()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"still ran after {seconds} s\n{self.text[-2000:]}")
        out, err = (open(path, errors="replace").read() for path in self.paths)
        return Result(self.command, code, out, err, time.monotonic() - begin)


class Place:
    """A folder and the processes of one case."""

    def __init__(self, product, is_short=False):
        self.product, self.is_short = product, is_short
        self.token = uuid.uuid4().hex
        self.root = tempfile.mkdtemp(prefix="dtrain-field-")
        os.chmod(self.root, 0o755)
        self.folder = os.path.join(self.root, "work")
        os.makedirs(self.folder)
        self.started = []

    def some(self, variants, count=1):
        """All of a case's variants; under --short no more than `count`, of which the last is the last."""
        variants = list(variants)
        return variants[:count - 1] + variants[-1:] if self.is_short else variants

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def hidden(self, name):
        return os.path.join(self.root, name)

    def write(self, name, content):
        """Writes text or bytes; returns the path."""
        data = content.encode() if isinstance(content, str) else content
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), errors="replace") as file:
            return file.read()

    def environment(self, more):
        return dict(os.environ, DTRAIN_FIELD=self.token,
                    SWIFT_BACKTRACE="enable=no", **(more or {}))

    def dtrain(self, *arguments, stdin=None, seconds=30, environment=None, folder=None):
        """Runs the product to its end; `stdin` is text or bytes."""
        return self.run(self.product, *arguments, stdin=stdin, seconds=seconds, environment=environment,
                        folder=folder)

    def shell(self, line, stdin=None, seconds=30, environment=None):
        """Runs a line of bash in which $D is the product."""
        more = dict(environment or {}, D=self.product)
        return self.run("bash", "-c", line, stdin=stdin, seconds=seconds, environment=more)

    def run(self, *command, stdin=None, seconds=30, environment=None, folder=None):
        begin = time.monotonic()
        data = stdin.encode() if isinstance(stdin, str) else stdin or b""
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment(environment), cwd=folder or self.folder,
                                   start_new_session=True)
        try:
            out, err = process.communicate(data, timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            shown = Result(command, "killed", out.decode(errors="replace"), err.decode(errors="replace"), seconds)
            raise Failure(f"still ran after {seconds} s\n{shown}")
        return Result(command, process.returncode, out.decode(errors="replace"),
                      err.decode(errors="replace"), time.monotonic() - begin)

    def start(self, *arguments, environment=None, folder=None):
        started = Started(self, [self.product, *arguments], self.environment(environment), folder or self.folder)
        self.started.append(started)
        return started

    def survivors(self):
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if f"DTRAIN_FIELD={self.token}".encode() in file.read() and int(entry) != os.getpid():
                        found.append(int(entry))
            except OSError:
                pass
        return found

    def close(self, keep):
        """Ends what runs. Returns what should not have run any more."""
        for started in self.started:
            if started.process.poll() is None:
                started.process.kill()
                started.process.wait()
        deadline = time.monotonic() + 5
        while self.survivors() and time.monotonic() < deadline:
            time.sleep(0.05)
        left = self.survivors()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not keep:
            shutil.rmtree(self.root, ignore_errors=True)
        return left


def run(chosen, product, keep, is_short=False):
    """Runs the cases one after the other; returns the exit code."""
    failed = []
    begin = time.monotonic()
    for case in chosen:
        place, start, reason = Place(product, is_short), time.monotonic(), None
        try:
            case.function(place)
        except Failure as failure:
            reason = str(failure)
        except Exception:
            reason = traceback.format_exc()
        left = place.close(keep and reason is not None)
        if left and reason is None:
            reason = f"processes {left} were left"
        print(f"{'ok  ' if reason is None else 'FAIL'} {case.subject:10} {case.name:38} "
              f"{time.monotonic() - start:5.1f} s  {case.kind}", flush=True)
        if reason is not None:
            failed.append(case.name)
            print(reason if not keep else f"{reason}\n    folder: {place.folder}", flush=True)
    print(f"{len(chosen) - len(failed)} of {len(chosen)} cases hold, {time.monotonic() - begin:.0f} s", flush=True)
    if failed:
        print("failed: " + " ".join(failed), file=sys.stderr)
    return 1 if failed else 0
