"""What a campaign has measured, as a dictionary and as a table."""
import json
import re

from faults import COORDINATOR_FAULTS, WORKER_FAULTS

# Kinds after which some worker goes on at once, and what is required of them, in milliseconds.
KILLS = ["kill a worker", "kill two workers at once", "kill all workers but one", "stop a worker, then kill it"]
STOPS = ["stop a worker beyond the timeout"]
BACK = re.compile(r"no worker holds the state of step (\d+): going back to step (\d+)")
# Where a recovery begins; a killed coordinator's with the start of the next, all others' with SIGKILL.
MEASURED_FROM = {
    "stop a worker briefly": "SIGCONT", "stop the coordinator": "SIGCONT",
    "stop a worker beyond the timeout": "SIGSTOP", "add a worker": None,
    "kill a worker that joins": None,
}


def figures(stage, options, run, faults, seconds, steps, last, undisturbed):
    """Everything that the table or the line of JSON says."""
    work = {}
    with open(stage.path("chaos", "metrics.jsonl")) as file:
        for line in file:
            row = json.loads(line)
            if "step_s" in row:
                work[row["step"]] = row["step_s"]
    rows, all_times = {}, {}
    relabel(run, faults)
    for kind in list(WORKER_FAULTS) + list(COORDINATOR_FAULTS):
        hits = [fault for fault in faults.all if fault.kind == kind]
        if hits:
            rows[kind], all_times[kind] = row_of(kind, hits, faults, work)
    kills = sorted(time for kind in KILLS for time in all_times.get(kind, []))
    stops = sorted(time for kind in STOPS for time in all_times.get(kind, []))
    limit = options.peer_timeout * 1000 + 1000
    required = []
    if kills:
        required += [("SIGKILL, median", percentile(kills, 50), 300, len(kills)),
                     ("SIGKILL, 99th percentile", percentile(kills, 99), 1000, len(kills))]
    if stops:
        required += [("SIGSTOP, longest", stops[-1], limit, len(stops))]
    return dict(
        ok=True, seed=options.seed, workers=options.workers, faults=len(faults.all),
        coordinator_faults=sum(fault.kind in COORDINATOR_FAULTS for fault in faults.all),
        coordinators=run.lives, workers_started=run.starts, s=round(seconds, 1),
        steps=last, steps_per_s=round(steps / seconds, 1),
        undisturbed_steps_per_s=round(undisturbed, 1), digest=run.digest()[1],
        steps_done_again=sum(int(first) - int(second) for child in stage.children
                             if "chaos-coordinator" in child.name for line in child.lines()
                             for first, second in BACK.findall(line)),
        during_checkpoint=sum(fault.during_checkpoint for fault in faults.all),
        during_join=sum(fault.during_join for fault in faults.all), kinds=rows,
        required=[dict(what=what, ms=round(ms), at_most_ms=round(most), measured=count, met=ms <= most)
                  for what, ms, most, count in required])


def relabel(run, faults):
    """A worker may have been the only one in the ring: its loss was that of all."""
    gone = set()
    for child in run.stage.children:
        if "coordinator" in child.name:
            gone |= {int(line.split("all workers are gone after step ")[1].split(":")[0])
                     for line in child.lines() if "all workers are gone after step " in line}
    for fault in faults.all:
        steps = {row[1] for row in run.tail.commits if row[0] == fault.recovered}
        if fault.kind in KILLS and any(step - 1 in gone for step in steps):
            fault.kind = "kill all workers"


def row_of(kind, hits, faults, work):
    moment = MEASURED_FROM.get(kind, "resume" if kind in COORDINATOR_FAULTS else "SIGKILL")
    times, slow = [], []
    for fault in hits:
        index = faults.all.index(fault)
        following = faults.all[index + 1].time if index + 1 < len(faults.all) else float("inf")
        if not (moment and fault.is_alone and fault.recovered) or fault.recovered > following:
            continue
        # Whom it hit was no member of the ring: nobody had to get over anything.
        if fault.went_on_for > 0.3:
            continue
        step = next(row[1] for row in faults.run.tail.commits if row[0] == fault.recovered)
        times.append(max(0.0, fault.recovered - fault.origin - work.get(step, 0)) * 1000)
        slow.append((round(times[-1]), step, fault.victims))
    times.sort()
    row = dict(faults=len(hits), measured=len(times), measured_from=moment)
    if times:
        row.update({f"p{p}_ms": round(percentile(times, p)) for p in (50, 90, 99)})
        row["max_ms"] = round(times[-1])
        row["slowest"] = [dict(ms=ms, step=step, victims=victims)
                          for ms, step, victims in sorted(slow, reverse=True)[:5]]
    return row, times


def percentile(times, share):
    """The smallest value that is not below `share` percent of all."""
    return times[max(0, -(-len(times) * share // 100) - 1)]


def table(result):
    lines = ["| fault | times | measured from | recovery: median | 90 % | 99 % | longest |",
             "|---|---|---|---|---|---|---|"]
    for kind, row in result["kinds"].items():
        cells = [f"{row[key]:,} ms" if key in row else ""
                 for key in ("p50_ms", "p90_ms", "p99_ms", "max_ms")]
        moment = f"{row['measured_from']} ({row['measured']})" if row["measured"] else ""
        lines.append(f"| {kind} | {row['faults']} | {moment} | " + " | ".join(cells) + " |")
    for row in result["required"]:
        lines.append(f"| {row['what']} of {row['measured']}: {row['ms']:,} ms, at most {row['at_most_ms']:,} ms"
                     f" required: {'met' if row['met'] else 'NOT MET'} |" + " |" * 6)
    return "\n".join(lines) + (
        f"\n\n{result['faults']} faults ({result['coordinator_faults']} on the coordinator; "
        f"{result['during_checkpoint']} while a checkpoint was being written, "
        f"{result['during_join']} within 0.4 s of a worker's start) in {result['s']:.0f} s, "
        f"{result['workers_started']} workers, {result['coordinators']} coordinators; "
        f"{result['steps']:,} steps, {result['steps_per_s']} steps/s "
        f"({result['undisturbed_steps_per_s']} undisturbed), {result['steps_done_again']} done again: "
        "the same digest, the same ledger\n"
        f"{result['digest']}")
