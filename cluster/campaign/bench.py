"""A coordinator and its workers on hosts that cluster/hosts makes, one run at a time."""
import os
import pathlib
import re
import tempfile
import time

import engines
from processes import Child, Failure

CLUSTER = pathlib.Path(__file__).resolve().parent.parent
MODEL = ("--vocabulary 1000 --d-model 48 --layers 1 --heads 2 --d-ff 96 --batch-tokens 4096 "
         "--validate-every 0 --log-every 1").split()
PORT = 5555
COORDINATOR, HOSTS = 0, [1, 2, 3, 4]
NUMERIC = "tcp://10.77.0.10:5555"


class Bench:
    """The hosts, one run at a time, and what its processes say."""

    def __init__(self, options):
        self.options = options
        self.program = str(pathlib.Path(options.program).resolve())
        self.environment = dict(os.environ, DTRAIN_HOSTS="net")
        # Of the case that runs; then, by steps, the digests that one worker on one host gives.
        self.folder, self.steps = None, None
        self.references = {}
        self.coordinator, self.workers = None, {}

    def hosts(self, *words):
        return engines.run([str(CLUSTER / "hosts"), *map(str, words)], env=self.environment).strip()

    def start(self, name, host, words):
        command = [str(CLUSTER / "hosts"), "exec", str(host), self.program, *words]
        return Child(name, command, f"{self.folder}/{name}.log", self.environment, self.folder)

    def begin(self, bind=f"tcp://0.0.0.0:{PORT}", connect=NUMERIC, timeout="2s", extra=(), on=HOSTS,
              words=lambda host: []):
        """Starts a coordinator and its workers; `connect` may depend on the host."""
        self.folder = tempfile.mkdtemp(prefix="networks-")
        plain = ["--insecure"] if self.options.insecure else []
        self.coordinator = self.start(
            "coordinator", COORDINATOR,
            ["coordinator", "--run", "run", "--bind", bind, "--workers", str(len(on)),
             "--wait-for-all", "--steps", str(self.steps), "--peer-timeout", timeout, *plain, *MODEL,
             *extra])
        access = plain or ["--token-file", "run/token"]
        for host in on:
            where = connect(host) if callable(connect) else connect
            self.workers[host] = self.start(
                f"worker-{host}", host,
                ["worker", "--connect", where, "--threads", "1", *access, *words(host)])
        self.wait("ring 1.1")

    def said(self, pattern, where=None):
        text = "\n".join((where or self.coordinator).lines())
        return re.search(pattern, text)

    def wait(self, pattern, seconds=60):
        end = time.monotonic() + seconds
        while not self.said(pattern):
            if time.monotonic() > end or not self.coordinator.is_alive:
                raise Failure(f"the coordinator never said '{pattern}'")
            time.sleep(0.02)

    def step(self, number):
        self.wait(rf"step {number}/")

    def neighbours(self):
        """The hosts of the first two members of the first ring."""
        names = re.findall(r"(w\d+) has", self.said(r"ring 1\.1: .*").group())
        return [int(self.said(rf"worker {name} joined from h(\d)").group(1)) for name in names[:2]]

    def name(self, host):
        return self.said(rf"worker (w\d+) joined from h{host} ").group(1)

    def digest(self, seconds=90):
        """Of the run, once it has ended as it should."""
        end = time.monotonic() + seconds
        while self.coordinator.is_alive:
            if time.monotonic() > end:
                raise Failure("the run does not end")
            time.sleep(0.05)
        if self.coordinator.code != 0:
            raise Failure(f"the coordinator ended with {self.coordinator.code}")
        return self.said(r"step \d+ digest (\w+)").group(1)

    def bytes_sent(self, lost=()):
        """Bytes that every ring has sent, after checking that they went over tcp."""
        sent = {}
        for host, worker in self.workers.items():
            end = time.monotonic() + 10
            while worker.is_alive and host not in lost:
                if time.monotonic() > end:
                    raise Failure(f"{worker.name} does not end")
                time.sleep(0.02)
            found = self.said(r"the ring has sent ([\d,]+) bytes from here, ([\d,]+) of", worker)
            if host in lost:
                continue
            if worker.code != 0 or not found:
                raise Failure(f"{worker.name} ended with {worker.code}")
            total, tcp = (int(text.replace(",", "")) for text in found.groups())
            if total == 0 or total != tcp:
                raise Failure(f"{worker.name}: {tcp} of {total} bytes went over tcp")
            sent[host] = total
        return sent

    def clear(self):
        """Ends the run and everything about the hosts that it has changed."""
        for child in [self.coordinator, *self.workers.values()]:
            if child and child.is_alive:
                child.process.kill()
                child.process.wait()
        self.coordinator, self.workers = None, {}
        self.hosts("down")

    def account(self):
        children = [child for child in [self.coordinator, *self.workers.values()] if child]
        return "\n".join(child.tail() for child in children)
