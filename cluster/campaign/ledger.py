"""The ledger of a run: followed while it grows, audited when the run is over."""
import hashlib
import json
import os
import time


class Tail:
    """Notes when each line appears, and in which generation of the ring it was committed."""

    def __init__(self, path):
        self.path = path
        self.offset = 0
        # (moment, step, (epoch, counter)); the moment is that of the look that found the line.
        self.commits = []

    def look(self):
        """Reads the lines that are new; the caller looks every few milliseconds."""
        try:
            size = os.stat(self.path).st_size
        except FileNotFoundError:
            return
        if size <= self.offset:
            return
        now = time.monotonic()
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            data = file.read(size - self.offset)
        end = data.rfind(b"\n") + 1
        for line in data[:end].splitlines():
            entry = json.loads(line)
            generation = entry["generation"]
            self.commits.append(
                (now, entry["step"], (generation["epoch"], generation["counter"])))
        self.offset += end

    @property
    def last(self):
        return self.commits[-1] if self.commits else (0.0, 0, (0, 0))


def read(path):
    """The entries of a finished ledger, and what is wrong with its form."""
    entries, faults = [], []
    with open(path, "rb") as file:
        data = file.read()
    if data and not data.endswith(b"\n"):
        faults.append("its last line is torn")
    opening = b'{"check":"'
    for number, line in enumerate(data.splitlines(), 1):
        body = b"{" + line[len(opening) + 18:]
        check = line[len(opening):len(opening) + 16].decode(errors="replace")
        if not line.startswith(opening) or hashlib.sha256(body).hexdigest()[:16] != check:
            faults.append(f"line {number} does not have its checksum")
            continue
        entry = json.loads(body)
        if entry["step"] != number:
            faults.append(f"line {number} is of step {entry['step']}")
        entries.append(entry)
    return entries, faults


def audit(path, reference, steps):
    """What is not as in the undisturbed run's ledger: each step once, the same samples and bits."""
    entries, faults = read(path)
    truth, wrong = read(reference)
    if wrong:
        return [f"the undisturbed ledger: {fault}" for fault in wrong]
    if len(entries) != steps or len(truth) != steps:
        faults.append(f"{len(entries)} and {len(truth)} lines for {steps} steps")
    for entry, true in zip(entries, truth):
        names = ["samples", "state", "loss", "labels", "verdict"]
        # The bits of a NaN are not fixed.
        if true["verdict"] == "committed":
            names.append("total")
        different = [name for name in names if entry[name] != true[name]]
        if different:
            faults.append(f"step {entry['step']} differs in {', '.join(different)}")
    seen = sorted(entry["generation"]["epoch"] * 2**32 + entry["generation"]["counter"]
                  for entry in entries)
    if seen != [entry["generation"]["epoch"] * 2**32 + entry["generation"]["counter"]
                for entry in entries]:
        faults.append("a line is of an older generation than the one before")
    return faults
