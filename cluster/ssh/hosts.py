"""The hosts of a launch: read from its list, the program copied to them, a worker started on each."""
import os
import subprocess
import sys
import tempfile


def fail(code, text):
    print(f"launch: {text}", file=sys.stderr)
    sys.exit(code)


def say(options, text):
    if not options.quiet:
        print(f"launch: {text}", file=sys.stderr, flush=True)


class Host:
    """A line of the list, and what runs there."""

    def __init__(self, name, options, log):
        self.name, self.options, self.log = name, options, log
        self.process = None
        self.is_told = False

    def start(self, command, script, token):
        with open(self.log, "ab") as output:
            # A session of its own: Ctrl-C is for us.
            self.process = subprocess.Popen(
                command + [self.name, script], stdin=subprocess.PIPE, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)
        # By standard input: arguments can be seen by others.
        try:
            self.process.stdin.write(f"{token}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    @property
    def code(self):
        """None while it runs; 0 if it was never started."""
        return self.process.poll() if self.process else 0

    @property
    def last_line(self):
        with open(self.log, errors="replace") as file:
            lines = file.read().split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it said nothing")

    def end(self):
        """The end of its standard input ends the worker, wherever it is."""
        if self.process and self.process.stdin:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
            self.process.stdin = None


def listed(options):
    """The hosts of the list, in its order."""
    try:
        with open(options.hosts) as file:
            lines = [line.split("#")[0].split() for line in file]
    except OSError as error:
        fail(74, f"{options.hosts} cannot be read: {error.strerror}")
    found = []
    for name, *more in filter(None, lines):
        if name.startswith("-"):
            fail(64, f"{options.hosts} has '{name}' where a host must be")
        count = sum(host.name == name for host in found)
        log = name + (f"-{count + 1}" if count else "") + ".log"
        found.append(Host(name, more, os.path.join(options.logs, log.replace("/", "_"))))
    if not found:
        fail(64, f"{options.hosts} names no host, give one a line")
    return found


def copy(options, install, ssh, found):
    """Puts what `install` packs on every host that has another program; ends with 69 where that fails."""
    if not os.path.exists(install):
        fail(69, f"--copy needs {install}, which is not there: take launch from a checkout or from where dtrain is installed")
    with tempfile.TemporaryDirectory() as folder:
        package = os.path.join(folder, "dtrain.tar.gz")
        if subprocess.run([install, "--pack", package]).returncode:
            fail(69, "the program could not be packed, see above")
        sums = subprocess.run(["tar", "-xzOf", package, "dtrain/SHA256SUMS"], stdout=subprocess.PIPE,
                              check=True, text=True).stdout
        wanted = next(line.split()[0] for line in sums.splitlines() if line.endswith("./bin/dtrain"))
        script = ('set -eu; old=$(sha256sum ~/.local/bin/dtrain 2>/dev/null | cut -d" " -f1) || old=; '
                  f'if [ "$old" = {wanted} ]; then cat >/dev/null; exit; fi; folder=$(mktemp -d); '
                  'trap \'rm -rf "$folder"\' EXIT; tar -C "$folder" -xzf -; '
                  '"$folder/dtrain/install" --prefix ~/.local')
        for name in dict.fromkeys(host.name for host in found):
            say(options, f"copying to {name}")
            with open(package, "rb") as file:
                done = subprocess.run(ssh + [name, script], stdin=file, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True)
            if done.returncode:
                fail(69, f"the program could not be copied to {name}: {done.stderr.strip()[-300:]}")
