"""The processes of a campaign: started with a token in their environment, so that all of them, and
whatever they start, can be found again."""
import os
import signal
import subprocess
import time
import uuid


class Failure(Exception):
    """Something that must not happen, or did not happen in time."""


class Child:
    """A process with its lines in a file; it is reaped by `code`."""

    def __init__(self, name, command, log, environment, folder):
        self.name, self.log = name, log
        self.started = time.monotonic()
        self.is_stopped = False
        # Whether its end is our doing.
        self.is_killed = False
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=environment, cwd=folder)
        self.pid = self.process.pid

    @property
    def code(self):
        """The exit code, minus the signal's number if one ended it; None while it lives."""
        return self.process.poll()

    @property
    def is_alive(self):
        return self.code is None

    def send(self, number):
        if not self.is_alive:
            return
        if number == signal.SIGKILL:
            self.is_killed = True
        if number in (signal.SIGSTOP, signal.SIGCONT):
            self.is_stopped = number == signal.SIGSTOP
        os.kill(self.pid, number)

    def lines(self):
        with open(self.log, errors="replace") as file:
            return file.read().splitlines()

    @property
    def is_welcomed(self):
        """Whether a coordinator has ever given this worker its name."""
        return any("the coordinator calls this worker" in line for line in self.lines())

    def tail(self, count=12):
        state = "lives" if self.is_alive else f"ended with {self.code}"
        rows = "\n".join("    " + line for line in self.lines()[-count:])
        return f"- {self.name}, process {self.pid}, {state}:\n{rows}"


class Stage:
    """A folder and the processes in it."""

    def __init__(self, folder, product):
        self.folder, self.product = folder, product
        self.token = uuid.uuid4().hex
        self.children = []
        for name in ("logs", "tmp"):
            os.makedirs(os.path.join(folder, name))
        self.environment = dict(
            os.environ, TMPDIR=self.path("tmp"), DTRAIN_CAMPAIGN=self.token,
            SWIFT_BACKTRACE="enable=yes,color=no,interactive=no,threads=crashed")
        self.shared_memory = set(os.listdir("/dev/shm"))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self, name, arguments):
        child = Child(name, [self.product] + arguments, self.path("logs", name + ".log"),
                      self.environment, self.folder)
        self.children.append(child)
        return child

    def end_all(self):
        for child in self.children:
            child.send(signal.SIGKILL)
        for pid in self.survivors():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for child in self.children:
            child.process.wait(10)

    def survivors(self):
        """Living processes that bear the token."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if f"DTRAIN_CAMPAIGN={self.token}".encode() in file.read():
                        found.append(int(entry))
            except OSError:
                pass
        return found

    def remains(self):
        """What should not be there once all is over."""
        left = [f"process {pid}" for pid in self.survivors()]
        left += [f"file {name} in the folder for temporary ones" for name in os.listdir(self.path("tmp"))]
        with open("/proc/net/unix") as file:
            sockets = file.read()
        for child in self.children:
            if f"dtrain-ring-{child.pid}-" in sockets:
                left.append(f"a unix socket of process {child.pid}")
        new = set(os.listdir("/dev/shm")) - self.shared_memory
        return left + [f"shared memory {name}" for name in sorted(new) if "dtrain" in name]
