"""What is done to a run, at moments drawn from a seed."""
import os
import signal
import time

WORKER_FAULTS = {
    "kill a worker": 26, "kill a worker that joins": 16, "kill two workers at once": 8,
    "kill all workers": 5, "stop a worker beyond the timeout": 12, "stop a worker briefly": 10,
    "stop a worker, then kill it": 5, "add a worker": 10, "kill all workers but one": 8,
}
COORDINATOR_FAULTS = {
    "kill the coordinator": 40, "kill the coordinator as it resumes": 15,
    "kill the coordinator and a worker": 15, "stop the coordinator": 20, "kill everything": 10,
}


class Fault:
    """One misfortune: when it was, and from when its recovery counts."""

    def __init__(self, kind, run):
        self.kind = kind
        self.time = time.monotonic()
        # The moment from which the next committed step is waited for; None until it is known.
        self.origin = self.time
        self.commits = len(run.tail.commits)
        self.generation = run.tail.last[2]
        # Only a step of a later generation shows that the run has got over it.
        self.is_of_ring = True
        self.during_checkpoint = any(
            name.startswith(".step") for name in listed(run.stage.path(run.name, "checkpoints")))
        self.during_join = any(self.time - worker.started < 0.4 for worker in run.running)
        self.recovered = None
        # Whether the run had got over all faults before it.
        self.is_alone = True
        # Seconds for which the ring went on as if nothing had happened.
        self.went_on_for = 0.0
        self.victims = ""


def listed(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


class Faults:
    def __init__(self, run, dice, workers, shards, timeout):
        self.run, self.dice = run, dice
        self.workers, self.shards, self.timeout = workers, shards, timeout
        self.all = []
        self.pending_resume = False

    def plan(self, count, share):
        """The kinds in order: `share` of them hit the coordinator."""
        hits = int(count * share)
        kinds = [self.draw(COORDINATOR_FAULTS) for _ in range(hits)]
        kinds += [self.draw(WORKER_FAULTS) for _ in range(count - hits)]
        self.dice.shuffle(kinds)
        return kinds

    def draw(self, weights):
        return self.dice.choices(list(weights), list(weights.values()))[0]

    def happen(self, kind):
        fault = Fault(kind, self.run)
        self.all.append(fault)
        getattr(self, "_" + kind.replace(",", "").replace(" ", "_"))(fault)
        fault.origin = fault.origin and time.monotonic()
        return fault

    @property
    def is_settled(self):
        """Nothing is to be done later, and the coordinator is there."""
        return not self.run.later and self.run.coordinator.is_alive

    def has_recovered(self, fault):
        """Whether a step has been committed since; the first one is the measure."""
        if fault.recovered is None and fault.origin is not None:
            for moment, _, generation in self.run.tail.commits[fault.commits:]:
                if moment <= fault.origin:
                    continue
                if fault.is_of_ring and generation == fault.generation:
                    # Without a member no step is committed, but for one whose votes are all there.
                    fault.went_on_for = moment - fault.origin
                if not fault.is_of_ring or generation > fault.generation:
                    fault.recovered = moment
                    break
        return fault.recovered is not None

    # workers

    def victims(self, count):
        running = self.run.running
        chosen = self.dice.sample(running, min(count, len(running)))
        self.all[-1].victims = " ".join(victim.name for victim in chosen)
        return chosen

    def replace(self, count):
        for _ in range(count):
            self.run.after(self.dice.uniform(0.05, 0.8), self.add)

    def add(self):
        if len(self.run.workers) < self.shards + 2:
            self.run.start_worker()

    def kill(self, fault, victims):
        fault.victims = " ".join(victim.name for victim in victims)
        for victim in victims:
            victim.send(signal.SIGKILL)
        fault.origin = time.monotonic()
        missing = self.workers - len(self.run.running)
        self.replace(max(missing, 1 if not self.run.running else 0))

    def _kill_a_worker(self, fault):
        self.kill(fault, self.victims(1))

    def _kill_two_workers_at_once(self, fault):
        self.kill(fault, self.victims(2))

    def _kill_all_workers(self, fault):
        self.kill(fault, list(self.run.workers))

    def _kill_all_workers_but_one(self, fault):
        self.kill(fault, self.victims(max(1, len(self.run.running) - 1)))

    def _kill_a_worker_that_joins(self, fault):
        joiner = self.run.start_worker()
        self.run.let(self.dice.uniform(0, 0.4))
        # It may not have been a member yet: then no ring was broken.
        fault.is_of_ring = False
        joiner.send(signal.SIGKILL)
        fault.origin = time.monotonic()

    def _stop_a_worker_beyond_the_timeout(self, fault):
        for victim in self.victims(1):
            victim.send(signal.SIGSTOP)
            self.run.after(self.timeout + self.dice.uniform(0.6, 1.6), lambda: self.proceed(victim))

    def _stop_a_worker_briefly(self, fault):
        fault.is_of_ring = False
        for victim in self.victims(1):
            victim.send(signal.SIGSTOP)
            fault.origin = None
            self.run.after(
                self.dice.uniform(0.02, 0.6) * self.timeout, lambda: self.proceed(victim, fault))

    def _stop_a_worker_then_kill_it(self, fault):
        for victim in self.victims(1):
            victim.send(signal.SIGSTOP)
            fault.origin = None
            self.run.after(
                self.dice.uniform(0, 0.9) * self.timeout, lambda: self.kill(fault, [victim]))

    def _add_a_worker(self, fault):
        fault.is_of_ring = False
        if len(self.run.workers) < self.shards + 2:
            self.run.start_worker()
        else:
            self.kill(fault, self.victims(1))

    def proceed(self, child, fault=None):
        child.send(signal.SIGCONT)
        if fault:
            fault.origin = time.monotonic()

    # the coordinator

    def kill_coordinator(self, fault, delay=None):
        """Kills it, and resumes it after a moment, from which the recovery counts."""
        coordinator = self.run.coordinator
        coordinator.send(signal.SIGKILL)
        coordinator.process.wait(10)
        fault.origin = None
        fault.is_of_ring = True
        if not self.pending_resume:
            self.pending_resume = True
            pause = self.dice.uniform(0, 1) if delay is None else delay
            self.run.after(pause, lambda: self.resume(fault))

    def resume(self, fault):
        self.pending_resume = False
        self.run.start_coordinator(resume=True)
        fault.origin = time.monotonic()

    def _kill_the_coordinator(self, fault):
        self.kill_coordinator(fault)

    def _kill_the_coordinator_as_it_resumes(self, fault):
        self.kill_coordinator(fault, 0.05)
        self.run.until(lambda: not self.pending_resume, 10, "coordinator that resumes")
        self.run.let(self.dice.uniform(0, 0.7))
        self.kill_coordinator(fault)

    def _kill_the_coordinator_and_a_worker(self, fault):
        victims = self.victims(1)
        self.kill_coordinator(fault)
        for victim in victims:
            victim.send(signal.SIGKILL)
        self.replace(len(victims))

    def _kill_everything(self, fault):
        victims = list(self.run.workers)
        self.kill_coordinator(fault)
        for victim in victims:
            victim.send(signal.SIGKILL)
        self.replace(self.workers)

    def _stop_the_coordinator(self, fault):
        coordinator = self.run.coordinator
        coordinator.send(signal.SIGSTOP)
        fault.origin = None
        fault.is_of_ring = False
        self.run.after(self.dice.uniform(0.05, 2.5), lambda: self.proceed(coordinator, fault))
