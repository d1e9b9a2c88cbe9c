import Checkpoint
import Coordination
import Kernels
import Parameters
import Text
import Wire

/// Where a run keeps what it has done: ledger, metrics, checkpoints.
package final class RunStore {
    /// What went wrong between a step and its line in the ledger.
    package enum Failure: Error {
        case file(CheckpointError)
        /// A step that was folded again does not give what the ledger says.
        case replayDiffers(step: Int)
    }

    let folder: RunFolder
    private let ledger: Ledger
    /// Writes `metrics.jsonl`; whoever runs the store has it observe the run.
    let metrics: MetricsObserver
    let checkpoints: CheckpointThread

    /// What was found amiss with ledger and metrics as they were opened.
    let repairs: [Repair]

    /// `recovery`: of a run that is resumed. Throws: `io`, `ledger`, `newer`.
    init(
        folder: RunFolder, checkpoints: CheckpointThread, recovery: RunRecovery? = nil
    ) throws(CheckpointError) {
        self.folder = folder
        self.checkpoints = checkpoints
        ledger = try Ledger(folder.paths.ledger)
        let metrics = try MetricsFile(folder.paths.metrics, last: recovery?.lastStep ?? .max)
        self.metrics = MetricsObserver(metrics)
        var repairs: [Repair] = []
        if ledger.tornBytes > 0 { repairs.append(.ledgerCut(bytes: ledger.tornBytes)) }
        if metrics.cutBytes > 0 {
            repairs.append(.metricsCut(lines: metrics.cutLines, bytes: metrics.cutBytes))
        }
        // Later steps are done again and measured as they are.
        if let step = recovery?.checkpoint?.step, metrics.lastStep < step {
            repairs.append(.metricsLack(steps: metrics.lastStep + 1...step))
        }
        self.repairs = repairs
    }

    /// Puts the step into the ledger, or compares it with the line that is there already.
    func record(_ line: CommittedLine, _ batch: Batch) throws(Failure) -> Bool {
        if ledger.steps.contains(line.step) {
            try compare(line)
            return false
        }
        do throws(CheckpointError) {
            try ledger.append(
                LedgerEntry(
                    step: line.step,
                    generation: line.generation,
                    samples: batch.shards.map(\.samples), total: "\(line.total)",
                    state: "\(line.state)", loss: line.loss, labels: batch.labels,
                    verdict: line.skipped ? .skipped : .committed,
                    arithmetic: ArithmeticVersion.current),
                now: .now)
            return true
        } catch {
            throw .file(error)
        }
    }

    private func compare(_ line: CommittedLine) throws(Failure) {
        let entry: LedgerEntry?
        do throws(CheckpointError) {
            entry = try ledger.entry(line.step)
        } catch {
            throw .file(error)
        }
        let isSame =
            entry?.total == "\(line.total)" && entry?.state == "\(line.state)"
            && (entry?.verdict == .skipped) == line.skipped
        guard isSame else { throw .replayDiffers(step: line.step) }
    }

    /// The ledger's last line; nil when it has none.
    func lastLine() throws(CheckpointError) -> CommittedLine? {
        guard let entry = try ledger.entry(ledger.steps.upperBound - 1) else { return nil }
        guard let total = FastDigest(entry.total), let state = FastDigest(entry.state) else {
            throw .ledger(path: ledger.path, line: ledger.steps.count, fault: .notJSON)
        }
        return CommittedLine(
            generation: entry.generation,
            step: entry.step, total: total, state: state, loss: entry.loss,
            skipped: entry.verdict == .skipped)
    }

    /// The steps that were skipped, from those on that bear upon a run that goes on after `origin`.
    func skips(from origin: Int) throws(CheckpointError) -> SkippedSteps {
        var skips = SkippedSteps()
        for step in ledger.steps where step > origin - SkippedSteps.inARow {
            if try ledger.entry(step)?.verdict == .skipped { skips.add(step) }
        }
        return skips
    }

    /// To be called before a checkpoint is committed.
    func synchronize() throws(CheckpointError) { try ledger.synchronize() }

    /// The last step that is known to be on disk, when lines have just been put there.
    func synchronizeIfDue() throws(CheckpointError) -> Int? {
        guard ledger.synchronizationDue.map({ $0 <= .now }) ?? false else { return nil }
        try ledger.synchronize()
        return ledger.steps.upperBound - 1
    }

    func close() {
        try? ledger.synchronize()
        checkpoints.stop()
        try? folder.removeAddress()
    }
}
