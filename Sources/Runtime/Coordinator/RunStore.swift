import Checkpoint
import Coordination
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
    private let metrics: MetricsFile
    let checkpoints: CheckpointThread

    init(folder: RunFolder, checkpoints: CheckpointThread) throws(CheckpointError) {
        self.folder = folder
        self.checkpoints = checkpoints
        ledger = try Ledger(folder.paths.ledger)
        metrics = try MetricsFile(folder.paths.metrics)
    }

    var tornBytes: Int { ledger.tornBytes }

    /// Puts the step into the ledger, or compares it with the line that is there already.
    func record(
        _ step: CommittedStep, _ batch: Batch, loss: Double
    ) throws(Failure) -> Bool {
        if ledger.steps.contains(step.step) {
            try compare(step)
            return false
        }
        do throws(CheckpointError) {
            try ledger.append(
                LedgerEntry(
                    step: step.step,
                    generation: .init(
                        epoch: step.generation.epoch, counter: step.generation.counter),
                    samples: batch.shards.map(\.samples), total: "\(step.total)",
                    state: "\(step.state)", loss: loss, labels: batch.labels,
                    verdict: step.skipped ? .skipped : .committed),
                now: .now)
            return true
        } catch {
            throw .file(error)
        }
    }

    private func compare(_ step: CommittedStep) throws(Failure) {
        let line: LedgerEntry?
        do throws(CheckpointError) {
            line = try ledger.entry(step.step)
        } catch {
            throw .file(error)
        }
        let isSame =
            line?.total == "\(step.total)" && line?.state == "\(step.state)"
            && (line?.verdict == .skipped) == step.skipped
        guard isSame else { throw .replayDiffers(step: step.step) }
    }

    func append(_ values: some Encodable) { try? metrics.append(values) }

    /// To be called before a checkpoint is committed.
    func synchronize() throws(CheckpointError) { try ledger.synchronize() }

    func synchronizeIfDue() throws(CheckpointError) {
        try ledger.synchronizeIfDue(now: .now)
    }

    func close() {
        try? ledger.synchronize()
        checkpoints.stop()
        try? folder.removeAddress()
    }
}
