"""Processes: resources that the system refuses, signals, what is said and what is not, training that comes
to nothing, and what listens where a coordinator should."""
import http.server
import os
import re
import signal
import socket
import threading
import time

from cases import TOY, Failure, case, pairs

# Somebody whom a limit of processes binds: it does not bind root.
NOBODY = "setpriv --reuid=61234 --regid=61234 --clear-groups"
TRAIN = ("train", "--corpus", "pairs.tsv", "--vocabulary", "100", *TOY)


def trained(place):
    """A run in `a` that anybody can read, and five lines to translate."""
    place.write("pairs.tsv", pairs())
    place.write("lines.txt", "alpha beta\n" * 5)
    place.dtrain(*TRAIN, "--run", "a", "--steps", "3").expect(code=0)
    place.run("chmod", "-R", "a+rwX", place.folder)


def limited(place, limit, value, *arguments, seconds=15):
    """Runs the product under `ulimit -LIMIT VALUE`, as nobody where that is the only way."""
    who = NOBODY if limit == "u" else ""
    line = f'{who} bash -c \'ulimit -{limit} {value}; exec "$@"\' x "$D" ' + " ".join(arguments)
    return place.shell(line, seconds=seconds, environment={"TMPDIR": place.hidden("tmp")})


def outcome(place, result):
    """A success, or one sentence with its code; nothing stays behind."""
    left = os.listdir(place.hidden("tmp"))
    if left:
        raise Failure(f"left behind: {left}\n{result}")
    # The shell or the loader was refused something, before a line of ours ran.
    if result.code == 127 or "fork: " in result.err or "cannot set uid" in result.err:
        return None
    # Notes of a run that was under way have a time in front.
    said = [line for line in result.err.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", line)]
    result.expect(code=(0, 65, 69, 71))
    if result.code != 0 and len(said) != 1:
        raise Failure(f"{len(said)} sentences instead of one\n{result}")
    if result.code == 71 and not re.search(r"refuses .*(ulimit -|pids\.max|memory|files)", said[0]):
        raise Failure(f"no limit is named\n{result}")
    return result.code


COMMANDS = {
    "translate": ("translate", "--run", "a", "--threads", "4", "lines.txt"),
    "evaluate": ("evaluate", "--run", "a", "--corpus", "pairs.tsv", "--threads", "2"),
    "verify": ("verify", "a", "--threads", "2"),
    "worker": ("worker", "--connect", "tcp://127.0.0.1:1", "--insecure", "--wait", "1s", "--threads", "3",
               "--quiet", "2>&1 | grep -v INSECURE >&2; exit ${PIPESTATUS[0]}"),
    "all-reduce": ("bench", "all-reduce", "--workers", "2", "--bytes", "1024"),
    "step": ("bench", "step", "--preset", "tiny", "--vocabulary", "100", "--batch", "1", "--length", "4",
             "--steps", "1", "--shards", "2"),
}


def sweep(place, limit, values):
    trained(place)
    os.makedirs(place.hidden("tmp"), mode=0o777)
    os.chmod(place.hidden("tmp"), 0o777)
    codes = set()
    for value in place.some(values, 2):
        train = (*TRAIN, "--run", f"r{value}", "--steps", "3", "--workers", "2", "--quiet")
        for command in place.some([*COMMANDS.values(), train], 3):
            codes.add(outcome(place, limited(place, limit, value, *command)))
    if not {0, 71} <= codes:
        raise Failure(f"the limits from {min(values)} to {max(values)} gave only {codes}")


@case("threads and processes that are refused (ulimit -u): one sentence, 71, nothing left")
def threads_refused(place):
    sweep(place, "u", (3, 8, 40))


@case("memory that is refused (ulimit -v): one sentence, 71, nothing left")
def memory_refused(place):
    sweep(place, "v", (115_000, 280_000, 4_000_000))


@case("descriptors that are refused (ulimit -n): one sentence, 71, nothing left")
def descriptors_refused(place):
    sweep(place, "n", (5, 24, 128))


@case("a process that --workers needs and that is refused")
def processes_refused(place):
    trained(place)
    limited(place, "u", 4, *TRAIN, "--run", "b", "--steps", "3", "--workers", "4", "--quiet").expect(
        code=71, says=("refuses", "ulimit -u"), within=10)


@case("as many threads as the affinity mask allows, and the number is said")
def affinity(place):
    trained(place)
    free = " ".join(TOY).replace("--threads 1", "")
    result = place.shell(f'taskset -c 0 "$D" train --corpus pairs.tsv --vocabulary 100 {free} --run b --steps 3')
    result.expect(code=0, says=r"joined.*, 1 thread\)")


@case("a lost terminal saves and ends with 0, with its own workers; nohup stays")
def hangup(place):
    place.write("pairs.tsv", pairs())
    run = place.start(*TRAIN, "--run", "a", "--steps", "1000000", "--workers", "2", "--log-every", "5")
    run.wait_for("step 5/").send(signal.SIGHUP).end(8).expect(code=0, says=("stopped at step", "digest"))
    place.dtrain("inspect", "a").expect(code=0)
    line = ('trap "" HUP; "$D" ' + " ".join(TRAIN) + " --run b --steps 400 --log-every 5 2>err & "
            'while ! grep -q "step 5/" err; do sleep 0.01; done; kill -HUP $!; wait $!')
    place.shell(line).expect(code=0, says="step 400 digest")


@case("Ctrl-C before the first step ends within a second, in every phase of it")
def interrupted_early(place):
    # A text that takes long, then no worker, then a worker that has only just come.
    place.write("pairs.tsv", pairs())
    place.write("long.tsv", pairs(150_000))
    phases = [
        (("train", "--corpus", "long.tsv", "--run", "a", *TOY, "--steps", "3"), None),
        (("coordinator", "--corpus", "pairs.tsv", "--vocabulary", "100", "--run", "b", *TOY, "--bind",
          "tcp://127.0.0.1:0", "--workers", "2"), "listening"),
        ((*TRAIN, "--run", "c", "--steps", "100000", "--workers", "2"), "listening"),
        (("worker", "--connect", "tcp://127.0.0.1:1", "--insecure"), "INSECURE"),
    ]
    for number in place.some((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)):
        for index, (arguments, phrase) in enumerate(phases):
            arguments = [word if word not in "abc" else f"{word}{number}" for word in arguments]
            run = place.start(*arguments)
            run.wait_for(phrase) if phrase else time.sleep(0.3)
            begin = time.monotonic()
            # A train may have got over its first step by then: it saves, and ends with 0 as well.
            run.send(number).end(5).expect(code=0)
            if time.monotonic() - begin > 1.0:
                raise Failure(f"{' '.join(arguments[:1])}, signal {number}: {time.monotonic() - begin:.1f} s")


@case("SIGQUIT ends at once, without a core file")
def quit_at_once(place):
    place.write("pairs.tsv", pairs())
    run = place.start(*TRAIN, "--run", "a", "--steps", "1000000", "--log-every", "5")
    begin = time.monotonic()
    run.wait_for("step 5/").send(signal.SIGQUIT).end(2).expect(code=131)
    worker = place.start("worker", "--connect", "tcp://127.0.0.1:1", "--insecure").wait_for("INSECURE")
    worker.send(signal.SIGQUIT).end(2).expect(code=131)
    cores = [name for name in os.listdir(place.folder) if name.startswith("core")]
    if cores or time.monotonic() - begin > 10:
        raise Failure(f"left {cores}, {time.monotonic() - begin:.1f} s")


@case("a reader that goes away ends nothing with noise")
def broken_pipe(place):
    trained(place)
    many = place.write("many.txt", "alpha beta\n" * 3000)
    place.shell(f'"$D" translate --run a {many} | head -1').expect(code=0, not_says="dtrain:")
    line = '"$D" ' + " ".join(TRAIN) + " --run b --steps 20 --log-every 1 2>&1 >out | head -1; cat out"
    place.shell(line).expect(code=0, says="step 20 digest")


@case("a reader that has gone ends every command with 0")
def reader_gone(place):
    trained(place)
    for command in ("inspect a", "inspect a --json", "help settings", "verify a", "plan --workers 1", "train --help",
                    "translate --run a lines.txt", "evaluate --run a --corpus pairs.tsv"):
        place.shell(f'"$D" {command} | true; exit ${{PIPESTATUS[0]}}').expect(code=0, not_says="dtrain:")


@case("skipped steps are said once in ten, and not at all with --quiet")
def skipped_are_said(place):
    place.write("pairs.tsv", pairs())
    wild = (*TRAIN, "--learning-rate", "1e30", "--on-nan", "skip", "--steps", "60")
    said = place.dtrain(*wild, "--run", "a").expect(code=1).err.count("is skipped")
    if said != 6:
        raise Failure(f"said {said} times")
    place.dtrain(*wild, "--run", "b", "--quiet").expect(code=1, not_says="is skipped")


@case("fewer threads than the machine has processors are explained")
def fewer_threads(place):
    place.write("pairs.tsv", pairs())
    free = " ".join(TOY).replace("--threads 1", "")
    line = f'taskset -c 0 "$D" train --corpus pairs.tsv --vocabulary 100 {free} --steps 3 --run '
    says = "1 thread computes: this process may use 1 of the machine's .* affinity mask"
    place.shell(line + "b").expect(code=0, says=says if os.cpu_count() > 1 else "joined")
    place.shell(line + "c --threads 1").expect(code=0, not_says="affinity")


@case("a healthy run logs no stragglers of 0 ms and moves no shards after noise")
def quiet_about_noise(place):
    place.write("pairs.tsv", pairs())
    place.dtrain(*TRAIN, "--run", "a", "--steps", "600", "--workers", "2", seconds=60).expect(
        code=0, not_says=("the others waited", "cut by speed"))


@case("who is missing is named, not who is there")
def missing_worker(place):
    place.write("pairs.tsv", pairs())
    run = place.start("coordinator", "--corpus", "pairs.tsv", "--vocabulary", "100", "--run", "a", *TOY,
                      "--workers", "2", "--wait-for-all", "--bind", "tcp://127.0.0.1:0", "--peer-timeout", "2s")
    run.wait_for("listening")
    address = re.search(r"tcp://[\d.]+:\d+", run.text).group(0)
    place.start("worker", "--connect", address, "--token-file", "a/token")
    run.wait_for(r"waiting for 1 more worker for \d+ s \(w1 came so far\)")
    if re.search(r"for w1 ", run.text):
        raise Failure(run.text)
    run.send(signal.SIGINT).end(5).expect(code=0)


@case("a stopped worker is named, not the one that waits for it")
def stopped_worker(place):
    place.write("pairs.tsv", pairs())
    run = place.start(*TRAIN, "--run", "a", "--steps", "1000000", "--workers", "2", "--log-every", "5",
                      "--peer-timeout", "4s")
    run.wait_for("step 50/")
    name, pid = re.findall(r"worker (w\d) joined from \S+ \(process (\d+)", run.text)[0]
    os.kill(int(pid), signal.SIGSTOP)
    run.wait_for(r"step \d+ has been waiting for")
    os.kill(int(pid), signal.SIGCONT)
    said = re.search(r"step \d+ has been waiting for .*", run.text).group(0)
    if f"for {name} on" not in said or said.count(" on ") != 1:
        raise Failure(f"{name} was stopped: {said}")
    run.send(signal.SIGINT).end(8).expect(code=0)


@case("--on-nan skip gives up, saves nothing that is not finite, and resumes to the same end")
def skipping_gives_up(place):
    place.write("pairs.tsv", pairs())
    wild = (*TRAIN, "--learning-rate", "1e30", "--on-nan", "skip", "--quiet")
    for steps, last in (("100", 100), ("300", 101)):
        result = place.dtrain(*wild, "--run", f"a{steps}", "--steps", steps)
        result.expect(code=1, says=(rf"\d+ steps up to step {last} were skipped", "with a lower rate"),
                      not_says="checkpoints/step")
        again = place.dtrain("train", "--resume", "--run", f"a{steps}", "--quiet")
        again.expect(code=1, says=rf"\d+ steps up to step {last} were skipped", within=10)
        place.dtrain("verify", f"a{steps}").expect(code=0, says="the run ended there")
        if os.listdir(place.path(f"a{steps}", "checkpoints")):
            raise Failure("a checkpoint was saved")


@case("a checkpoint that computes no finite numbers is refused")
def not_finite(place):
    place.write("pairs.tsv", pairs())
    place.write("lines.txt", "alpha\n")
    wild = (*TRAIN, "--learning-rate", "1e30", "--on-nan", "skip", "--quiet", "--checkpoint-every", "1")
    place.dtrain(*wild, "--run", "a", "--steps", "5")
    for command in (("translate", "--run", "a", "lines.txt"),
                    ("evaluate", "--run", "a", "--corpus", "pairs.tsv")):
        place.dtrain(*command).expect(code=65, says="no finite numbers", sentence=True)


class Silent(threading.Thread):
    """Accepts connections and says nothing, or these words."""

    def __init__(self, words=b""):
        super().__init__(daemon=True)
        self.words, self.open = words, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.socket.getsockname()[1]}"
        self.start()

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            connection.sendall(self.words)
            self.open.append(connection)


@case("another service on the port is told as such, at once and with 69")
def other_service(place):
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *words):
            pass
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    place.write("pairs.tsv", pairs())
    place.dtrain("token", "rotate", "--run", "t").expect(code=0)
    services = [f"tcp://127.0.0.1:{web.server_address[1]}", Silent(b"SSH-2.0-OpenSSH_9.2p1\r\n").address,
                Silent(b"220 mail ready\r\n").address]
    for address in place.some(services, 2):
        for access in (("--insecure",), ("--token-file", "t/token")):
            for command in (("worker", "--wait", "20s"), ("status",), ("doctor",)):
                result = place.dtrain(*command, "--connect", address, *access)
                result.expect(code=69, says="is not a dtrain coordinator", within=6)
    web.shutdown()


@case("no coordinator at all ends with 69")
def no_coordinator(place):
    for command in place.some((("worker", "--wait", "2s"), ("status",), ("doctor",)), 2):
        place.dtrain(*command, "--connect", "tcp://127.0.0.1:1", "--insecure").expect(code=69, within=12)
    place.dtrain("worker", "--wait", "4s", "--connect", Silent().address, "--insecure").expect(
        code=69, says="somebody listens there and says nothing")
