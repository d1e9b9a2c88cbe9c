"""The cases of cluster/check-networks: what is done to the network, and what must be said of it. Each is
given a bench with five fresh hosts, and returns a line about what it saw."""
import re
import time

from bench import COORDINATOR, HOSTS, NUMERIC, PORT
from processes import Failure

RING = 5556


def ipv4(bench):
    bench.begin()
    return finish(bench)


def ipv6(bench):
    bench.begin(bind=f"tcp://[::]:{PORT}", connect="tcp://[fd77::10]:5555")
    return finish(bench)


def dual(bench):
    bench.begin(bind=f"tcp://[::]:{PORT}",
                connect=lambda host: NUMERIC if host % 2 else "tcp://[fd77::10]:5555")
    return finish(bench)


def names(bench):
    """One worker is on the coordinator's host, whose own name leads to 127.0.1.1 there."""
    bench.begin(bind=f"tcp://[::]:{PORT}", connect="tcp://h0:5555", on=[0, 1, 2, 3])
    return finish(bench)


def one_port(bench):
    bench.hosts("ports", COORDINATOR, PORT)
    for host in HOSTS:
        bench.hosts("ports", host, RING)
    bench.begin(words=lambda host: ["--ring-port", str(RING)])
    return finish(bench)


def nat(bench, behind=(4,)):
    for host in behind:
        bench.hosts("nat", host)
    bench.begin(words=lambda host: ["--relay"] if host in behind else [])
    for host in behind:
        must(bench, rf"worker {bench.name(host)} on h{host} can only connect outwards")
    return finish(bench)


def nat_two(bench):
    return nat(bench, (3, 4))


def nat_killed(bench):
    """The one behind NAT is killed: its neighbours must notice through the coordinator."""
    bench.hosts("nat", 4)
    bench.begin(words=lambda host: ["--relay"] if host == 4 else [])
    bench.step(8)
    bench.workers[4].process.kill()
    return finish(bench, lost=[4])


def rate_100(bench):
    for host in [COORDINATOR, *HOSTS]:
        bench.hosts("rate", host, "100mbit")
    bench.begin()
    return finish(bench)


def rate_10(bench):
    bench.hosts("rate", 2, "10mbit")
    bench.begin()
    return finish(bench)


def slow_pair(bench):
    """Two neighbours whose link is slow, between hosts whose other links are not: the ring goes around it."""
    bench.begin()
    first, second = bench.neighbours()
    bench.hosts("pair", first, second, "10mbit")
    must(bench, rf"the link from h{first} to h{second} carries [\d.]+ Mbit/s, others .* another way")
    order = bench.said(r"another way \(([h\d, ]+)\)").group(1).split(", ")
    if {f"h{first}", f"h{second}"} in [{one, other} for one, other in zip(order, order[1:] + order[:1])]:
        raise Failure(f"h{first} and h{second} are still neighbours: {order}")
    return finish(bench)


def loss_2(bench):
    for host in [COORDINATOR, *HOSTS]:
        bench.hosts("loss", host, 2)
    bench.begin()
    return finish(bench)


def cut(bench):
    """Cuts off host 2 in the middle of the run; returns what its worker is called."""
    bench.begin()
    bench.step(8)
    bench.hosts("cut", 2)
    return bench.name(2)


def cut_5(bench):
    name = cut(bench)
    time.sleep(5)
    bench.hosts("heal", 2)
    must(bench, rf"worker {name} on h2 is gone .* not been heard for [23]\.")
    bench.wait(r"joined from h2 .*\n(.*\n)*.*joined from h2 ")
    return finish(bench)


def cut_for_good(bench):
    name = cut(bench)
    line = finish(bench, lost=[2])
    must(bench, rf"worker {name} on h2 is gone .* not been heard for [23]\.")
    return line


def deaf(bench, first, second):
    """Host `first` hears nothing of host `second`; both are heard by the coordinator."""
    names = {host: bench.name(host) for host in (first, second)}
    bench.hosts("drop", first, second)
    bench.wait(rf"({names[first]}|{names[second]}) on h\d and worker "
               rf"({names[first]}|{names[second]}) on h\d are heard but do not reach each other")
    bench.hosts("undrop", first)
    if bench.said(r"is gone after"):
        raise Failure("a worker was lost over a link that is not its own")
    return finish(bench)


def deaf_successor(bench):
    bench.begin()
    bench.step(8)
    first, second = bench.neighbours()
    return deaf(bench, second, first)


def deaf_predecessor(bench):
    bench.begin()
    bench.step(8)
    first, second = bench.neighbours()
    return deaf(bench, first, second)


def deaf_coordinator(bench, worker_is_deaf=False):
    bench.begin()
    bench.step(8)
    name = bench.name(2)
    pair = (2, COORDINATOR) if worker_is_deaf else (COORDINATOR, 2)
    bench.hosts("drop", *pair)
    bench.wait(rf"worker {name} on h2 is gone .* not been heard for [234]\.")
    bench.hosts("undrop", pair[0])
    bench.wait(r"joined from h2 .*\n(.*\n)*.*joined from h2 ")
    gone = set(re.findall(r"on (h\d) is gone", "\n".join(bench.coordinator.lines())))
    if gone != {"h2"}:
        raise Failure(f"lost were {', '.join(sorted(gone))}, not h2 alone")
    if not bench.said("connection to the coordinator is lost|calls this worker w5",
                      bench.workers[2]):
        raise Failure("the worker that was lost was not told so")
    return finish(bench)


def deaf_worker(bench):
    return deaf_coordinator(bench, worker_is_deaf=True)


def resets(bench):
    bench.begin()
    for round in range(4):
        bench.step(8 + round)
        for host in HOSTS:
            bench.hosts("reset", host)
        time.sleep(2)
    return finish(bench)


def coordinator_cut(bench):
    bench.begin()
    bench.step(8)
    bench.hosts("cut", COORDINATOR)
    time.sleep(5)
    bench.hosts("heal", COORDINATOR)
    return finish(bench)


def must(bench, pattern):
    bench.wait(pattern, seconds=15)


def finish(bench, lost=()):
    digest, truth = bench.digest(), bench.references[bench.steps]
    if digest != truth:
        raise Failure(f"the digest of step {bench.steps} is {digest}, not {truth}")
    sent = bench.bytes_sent(lost)
    return f"{sum(sent.values()) / 1e6:.1f} MB over tcp"


CASES = {
    "ipv4": ipv4, "ipv6": ipv6, "dual": dual, "names": names, "one-port": one_port,
    "nat": nat, "nat-two": nat_two, "nat-killed": nat_killed, "100mbit": rate_100, "10mbit": rate_10,
    "slow-pair": slow_pair, "loss": loss_2, "cut-5s": cut_5,
    "cut-for-good": cut_for_good, "deaf-successor": deaf_successor,
    "deaf-predecessor": deaf_predecessor, "deaf-coordinator": deaf_coordinator,
    "deaf-worker": deaf_worker, "resets": resets, "coordinator-cut": coordinator_cut,
}
# Of each case; a fault needs the run to go on for longer than it lasts.
STEPS = 30
STEPS_OF = {"slow-pair": 60, "cut-5s": 1000, "deaf-coordinator": 300, "deaf-worker": 300, "resets": 400}
