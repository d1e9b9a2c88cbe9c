import Checkpoint
import Foundation
import Preparation
import Resources

extension PreparedRun {
    /// What a run will take, for `--dry-run`: labels and values. Computes a few shards to know how
    /// long a step lasts.
    package func forecast() throws(ResourceError) -> [(label: String, value: String)] {
        let vector = model.layout.count * 4
        let own =
            (configuration.batches.shards + configuration.cluster.workers - 1)
            / configuration.cluster.workers
        // θ, m, v, the total, a gradient for each shard; a snapshot copies three of them.
        let worker = vector * (4 + own + 3)
        let disk = CheckpointWriter.bytesNeeded(tensors: tensors, tokenizer: tokenizer.model)
        let unit = configuration.architecture.kind == .languageModel ? "windows" : "pairs"
        var lines = [
            ("\(unit) to train on", "\(training.samples.count)"),
            ("\(unit) held out", "\(heldOut.samples.count)"),
            ("lines without words", "\(summary.lines.dropped)"),
            ("pairs too long", "\(summary.lines.tooLong.and(training.tooLong).count)"),
            ("unknown tokens", "\(training.coverage.unknownTokens)"),
            ("tokens an epoch", "\(training.tokens)"),
            ("steps an epoch", "\(schedule.batchesPerEpoch)"),
            ("vocabulary", "\(tokenizer.vocabulary)"),
            ("parameters", "\(model.layout.count)"),
            ("vectors of a worker", "\(worker / 1_000_000) MB, activations besides"),
            ("a checkpoint", "\(disk / 1_000_000) MB"),
        ]
        // Parameters and a gradient.
        guard (try? model.requireMemory(vectors: 2)) != nil else {
            return lines + [("a step", "is more than this host's memory holds")]
        }
        let cores = Processors.usable.count
        let step = try measuredSecondsAStep(
            threads: min(
                cores, configuration.cluster.workers * configuration.cluster.threads(cores: cores)))
        lines.append(("a step, about", "\(Int(step * 1000)) ms on this host"))
        if let lastStep {
            lines.append(("steps", "\(lastStep)"))
            lines.append(("all steps, about", "\(Int(step * Double(lastStep))) s"))
        }
        return lines
    }
}
