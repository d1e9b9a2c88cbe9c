"""What the checks of the engines share: a small task, its digest when nobody disturbs it, packages, waiting."""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from processes import Failure

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODEL = ["--vocabulary", "500", "--d-model", "64", "--layers", "1", "--heads", "4", "--d-ff", "128",
         "--validate-every", "0"]


def task(steps, batch_tokens=1024, checkpoint_every=0):
    """Options of a run whose steps take about 7 ms a thousand tokens on one core."""
    return MODEL + ["--steps", str(steps), "--batch-tokens", str(batch_tokens),
                    "--checkpoint-every", str(checkpoint_every), "--log-every", "20"]


def digest_in(text, steps):
    """The digest of the last line that names one; it must be of step `steps`."""
    found = re.findall(r"^step (\d+) digest ([0-9a-f]{64})$", text, re.MULTILINE)
    if not found or int(found[-1][0]) != steps:
        raise Failure(f"no digest of step {steps} in: {text.strip()[-300:]}")
    return found[-1][1]


def last_step(text):
    """The last step that a log tells of, 0 if none."""
    found = re.findall(r" step (\d+)/", text)
    return int(found[-1]) if found else 0


def read(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def until(condition, seconds, what):
    """Waits for a true value and returns it. Raises Failure with `what` when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"not in {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.05)


def run(command, seconds=60, **more):
    """The standard output of a command that must end well."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=seconds, **more)
    except subprocess.TimeoutExpired:
        raise Failure(f"not over in {seconds} s: {' '.join(command)}") from None
    except OSError as error:
        raise Failure(f"{command[0]} cannot be started: {error.strerror}") from None
    if done.returncode:
        raise Failure(f"ended with {done.returncode}: {' '.join(command)}: {done.stderr.strip()[-500:]}")
    return done.stdout


def json_lines(command, seconds):
    """The objects that a command prints, a line each."""
    lines = [json.loads(line) for line in run(command, seconds).splitlines() if line.startswith("{")]
    if not lines:
        raise Failure(f"no line of JSON: {' '.join(command)}")
    return lines


def undisturbed(product, folder, options, steps):
    """The digest of one process that nobody disturbs."""
    output = run([product, "train", "--workers", "1", "--threads", str(os.cpu_count() or 1), "--quiet",
                  "--run", os.path.join(folder, "undisturbed")] + options, 600, cwd=folder)
    return digest_in(output, steps)


def need(program, package, name):
    """Installs the Debian package of a program that is missing; ends with 69 where it may not."""
    if shutil.which(program):
        return
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    install = prefix + ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y",
                        "--no-install-recommends", "install", package]
    if shutil.which("apt-get") and (not prefix or shutil.which("sudo")):
        print(f"{name}: installing {package}", file=sys.stderr)
        subprocess.run(install, stdout=sys.stderr, stdin=subprocess.DEVNULL)
    if not shutil.which(program):
        print(f"{name}: {program} is missing, have somebody run: apt-get install {package}", file=sys.stderr)
        sys.exit(69)


def need_build(name, product):
    """Ends with 69 where there is no build."""
    if not os.access(product, os.X_OK):
        print(f"{name}: no {product}, build it: swift build -c release", file=sys.stderr)
        sys.exit(69)


def need_hosts(name, environment):
    """What cluster/hosts needs, and that nobody else has up the set of this environment; else ends with 69."""
    if os.geteuid() != 0:
        print(f"{name}: network namespaces need root", file=sys.stderr)
        sys.exit(69)
    need("ip", "iproute2", name)
    need("nft", "nftables", name)
    if run([os.path.join(ROOT, "cluster/hosts"), "list"], env=environment):
        own = f"DTRAIN_HOSTS={environment['DTRAIN_HOSTS']}"
        print(f"{name}: its hosts are up, wait for whoever uses them, or: {own} cluster/hosts down", file=sys.stderr)
        sys.exit(69)


def check(name, description, steps, more=lambda parser: None):
    """Runs `steps(options, folder)` in a folder of its own; it returns a sentence that says what was seen."""
    parser = argparse.ArgumentParser(prog=name, description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--product", default=os.path.join(ROOT, ".build/release/dtrain"))
    parser.add_argument("--keep", action="store_true", help="keep the folder though all is well")
    more(parser)
    options = parser.parse_args()
    need_build(name, options.product)
    options.product = os.path.abspath(options.product)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="dtrain-engine-")
    began = time.monotonic()
    is_kept = options.keep
    try:
        seen = steps(options, folder)
        print(f"{name}: {seen}; {time.monotonic() - began:.0f} s")
    except Exception as error:
        is_kept = True
        if not isinstance(error, Failure):
            raise
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(1)
    finally:
        # Also where something is missing (69): then there is nothing to look at.
        if is_kept:
            print(f"{name}: kept {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)
