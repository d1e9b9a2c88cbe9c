import Checkpoint
import Foundation
import Preparation
import Text
import Training

/// Holds every recomputed step against the ledger's line and the checkpoints of the run.
struct Comparison {
    typealias Difference = Verification.Difference

    let ledger: LedgerIndex
    let shelf: CheckpointShelf
    let prepared: PreparedRun
    let recomputation: Recomputation
    private(set) var skipped = 0
    private(set) var checkpoints: [Int] = []

    init(
        ledger: LedgerIndex, shelf: CheckpointShelf, prepared: PreparedRun,
        recomputation: Recomputation
    ) {
        self.ledger = ledger
        self.shelf = shelf
        self.prepared = prepared
        self.recomputation = recomputation
    }

    /// Recomputes the next step; nil if its line and its checkpoint, if there is one, agree.
    mutating func compare(_ step: Int) throws -> Difference? {
        guard let line = try ledger.entry(step) else {
            preconditionFailure("step \(step) is not in the ledger \(ledger.steps)")
        }
        let batch = prepared.schedule.batch(step: step)
        if let difference = Self.compare(line, batch) { return difference }
        let outcome = recomputation.step(batch)
        if let difference = Self.compare(line, outcome) { return difference }
        if outcome.isSkipped { skipped += 1 }
        return try compareCheckpoint(of: step)
    }

    /// The state after the last step is the one before the next, if that has been recorded.
    func compareEnd(after step: Int) throws -> Difference? {
        guard let next = try ledger.entry(step + 1) else { return nil }
        let state = "\(recomputation.digestOfState())"
        return next.state == state
            ? nil
            : Difference(
                step: next.step, subject: .state, recorded: next.state, recomputed: state)
    }

    private static func compare(_ line: LedgerEntry, _ batch: Batch) -> Difference? {
        let samples = batch.shards.map(\.samples)
        if line.samples != samples {
            let shard = zip(line.samples, samples).enumerated().first { $1.0 != $1.1 }?.offset
            return Difference(
                step: line.step, subject: .samples,
                recorded: shard.map { "\(line.samples[$0].count) of shard \($0)" }
                    ?? "\(line.samples.count) shards",
                recomputed: shard.map { "\(samples[$0].count) others" }
                    ?? "\(samples.count) shards")
        }
        return line.labels == batch.labels
            ? nil
            : Difference(
                step: line.step, subject: .labels, recorded: "\(line.labels)",
                recomputed: "\(batch.labels)")
    }

    private static func compare(
        _ line: LedgerEntry, _ outcome: Recomputation.Outcome
    ) -> Difference? {
        func difference(
            _ subject: Difference.Subject, _ recorded: String, _ recomputed: String
        ) -> Difference? {
            recorded == recomputed
                ? nil
                : Difference(
                    step: line.step, subject: subject, recorded: recorded, recomputed: recomputed)
        }
        let verdict = outcome.isSkipped ? LedgerEntry.Verdict.skipped : .committed
        return difference(.state, line.state, "\(outcome.state)")
            ?? difference(.verdict, line.verdict.rawValue, verdict.rawValue)
            // NaNs are one loss, whatever their sign.
            ?? (line.loss.isNaN && outcome.loss.isNaN
                ? nil : difference(.loss, "\(line.loss)", "\(outcome.loss)"))
            // The bits of a NaN say nothing: which of several survives a sum is left open.
            ?? (outcome.isSkipped ? nil : difference(.total, line.total, "\(outcome.total)"))
    }

    /// θ, m and v of a checkpoint of the state as it is now; one that is pruned meanwhile is none.
    private mutating func compareCheckpoint(of step: Int) throws -> Difference? {
        guard let path = try shelf.candidates().first(where: { $0.step == step })?.path else {
            return nil
        }
        let recomputed = recomputation.state
        do {
            let folder = try CheckpointFolder(path)
            let state = try VerificationOrigin.state(of: folder, prepared)
            let (recorded, ours) = (state.digest(), recomputation.digestOfState())
            guard recorded == ours, state.adamCount == recomputed.adamCount else {
                return Difference(
                    step: step, subject: .checkpoint(path: path), recorded: "\(recorded)",
                    recomputed: "\(ours)")
            }
            let digest = recomputed.parameters.withBytes(0..<recomputed.count) { bytes in
                let hash = SHA256()
                hash.update(bytes)
                return hash.finish()
            }
            guard folder.digest == digest else {
                return Difference(
                    step: step, subject: .checkpoint(path: path), recorded: folder.digest,
                    recomputed: digest)
            }
        } catch  where !FileManager.default.fileExists(atPath: path) {
            return nil
        } catch {
            return Difference(
                step: step, subject: .damaged(error), recorded: "a checkpoint",
                recomputed: "\(recomputation.digestOfState())")
        }
        checkpoints.append(step)
        return nil
    }
}
