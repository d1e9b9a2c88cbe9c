"""A run under way: its coordinator, its workers, what is to be done later, and every wait."""
import heapq
import itertools
import os
import signal
import time

from ledger import Tail
from processes import Failure

# Seconds between two looks at the ledger and the processes.
PERIOD = 0.002


class Run:
    def __init__(self, stage, name, options):
        self.stage, self.name, self.options = stage, name, options
        self.tail = Tail(stage.path(name, "ledger.jsonl"))
        self.coordinator = None
        self.workers = []
        self.address = "tcp://127.0.0.1:0"
        self.later = []
        self.order = itertools.count()
        self.starts = 0
        self.lives = 0

    # starting

    def start_coordinator(self, more=(), resume=False):
        self.lives += 1
        arguments = ["coordinator", "--run", self.name, "--bind", self.address]
        arguments += ["--resume"] if resume else self.options
        self.coordinator = self.stage.start(
            f"{self.name}-coordinator-{self.lives}", arguments + list(more))

    def find_address(self):
        """Where the coordinator listens, from then on for every later one too."""
        path = self.stage.path(self.name, "address")
        self.until(lambda: os.path.exists(path), 30, "the coordinator's address")
        with open(path) as file:
            self.address = file.read().strip()

    def start_worker(self, threads=1):
        self.starts += 1
        worker = self.stage.start(
            f"{self.name}-worker-{self.starts}",
            ["worker", "--connect", self.address, "--token-file",
             self.stage.path(self.name, "token"), "--threads", str(threads), "--wait", "120s"])
        self.workers.append(worker)
        return worker

    @property
    def running(self):
        """Workers that live and take part; one that was killed counts no more, reaped or not."""
        return [worker for worker in self.workers
                if worker.is_alive and not worker.is_killed and not worker.is_stopped]

    # time

    def after(self, seconds, action):
        heapq.heappush(self.later, (time.monotonic() + seconds, next(self.order), action))

    def look(self):
        """Does what is due, reads the ledger, and sees that nobody has ended by itself."""
        while self.later and self.later[0][0] <= time.monotonic():
            heapq.heappop(self.later)[2]()
        self.tail.look()
        for child in self.workers + [self.coordinator]:
            if child and not child.is_alive and not child.is_killed:
                raise Failure(f"{child.name} has ended by itself with {child.code}\n{child.tail(30)}")
        self.workers = [worker for worker in self.workers if worker.is_alive]

    def until(self, condition, seconds, what):
        """Waits for a condition; what does not come in time is a failure with everybody's lines."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"no {what} within {seconds:.0f} s\n" + self.account())
            self.look()
            time.sleep(PERIOD)

    def await_checkpoint(self, seconds):
        """Waits until a checkpoint is being written, at most so long; the next look is at once."""
        folder = self.stage.path(self.name, "checkpoints")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if any(name.startswith(".step") for name in os.listdir(folder)):
                return
            self.look()
            time.sleep(PERIOD / 10)

    def let(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(PERIOD)

    def account(self):
        """The state machines of all, where SIGUSR1 asks for them, and everybody's last lines."""
        living = [child for child in self.workers + [self.coordinator] if child and child.is_alive]
        stopped = [child.name for child in living if child.is_stopped]
        text = f"stopped: {', '.join(stopped) or 'nobody'}; last commit {self.tail.last[1:]}\n"
        return text + "\n".join(child.tail() for child in living)

    # ending

    def wait_for_end(self, seconds, what):
        """Coordinator and workers end with 0."""
        everybody = self.workers + [self.coordinator]
        deadline = time.monotonic() + seconds
        while any(child.is_alive for child in everybody):
            if time.monotonic() > deadline:
                raise Failure(f"no end {what} within {seconds:.0f} s\n" + self.account())
            time.sleep(PERIOD)
        self.tail.look()
        for child in everybody:
            if child.code != 0:
                raise Failure(f"{child.name} ended {what} with {child.code}\n{child.tail(30)}")
        self.workers = []

    def stop(self):
        """SIGTERM: saves and ends."""
        self.coordinator.send(signal.SIGTERM)
        self.wait_for_end(40, "after SIGTERM")

    def digest(self):
        """What a finished run prints last."""
        lines = [line.split() for line in self.coordinator.lines() if " digest " in line]
        rows = [words for words in lines if len(words) == 4 and words[0] == "step"]
        if not rows:
            raise Failure(f"{self.coordinator.name} printed no digest\n{self.coordinator.tail()}")
        return int(rows[-1][1]), rows[-1][3]
