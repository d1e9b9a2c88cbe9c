import Checkpoint
import Foundation
import Model
import Parameters

extension PreparedRun {
    /// What a run will take, for `--dry-run`: labels and values. Computes a few shards to know how
    /// long a step lasts.
    package func forecast() -> [(label: String, value: String)] {
        let vector = model.layout.count * 4
        let own = (configuration.shards + configuration.workers - 1) / configuration.workers
        // θ, m, v, the total, a gradient for each shard; a snapshot copies three of them.
        let worker = vector * (4 + own + 3)
        let disk = CheckpointWriter.bytesNeeded(tensors: tensors, tokenizer: tokenizer.model)
        var lines = [
            ("pairs to train on", "\(training.samples.count)"),
            ("pairs held out", "\(heldOut.samples.count)"),
            ("tokens an epoch", "\(training.tokens)"),
            ("steps an epoch", "\(schedule.batchesPerEpoch)"),
            ("vocabulary", "\(tokenizer.vocabulary)"),
            ("parameters", "\(model.layout.count)"),
            ("vectors of a worker", "\(worker / 1_000_000) MB, activations besides"),
            ("a checkpoint", "\(disk / 1_000_000) MB"),
        ]
        let step = secondsPerStep()
        lines.append(("a step, about", "\(Int(step * 1000)) ms with these workers on this host"))
        if let lastStep {
            lines.append(("steps", "\(lastStep)"))
            lines.append(("all steps, about", "\(Int(step * Double(lastStep))) s"))
        }
        return lines
    }

    /// The time of the first batch's shards on one core, shared by the cores that the workers use.
    private func secondsPerStep() -> Double {
        let batch = schedule.batch(step: 1)
        let parameters = ParameterVector(count: model.layout.count)
        let gradient = ParameterVector(count: model.layout.count)
        model.initialise(parameters, seed: configuration.seed)
        let lane = Lane(model)
        var seconds = 0.0
        var measured = 0
        for (index, shard) in batch.shards.enumerated() {
            let start = ContinuousClock.now
            _ = lane.gradient(
                of: ModelInput(shard), parameters: parameters, into: gradient,
                labelCount: batch.labels, smoothing: Float(configuration.labelSmoothing),
                key: DropoutKey(seed: configuration.seed, step: 1, shard: index)
            ) { _ in }
            // The first shard also takes the lane's memory.
            if index > 0 || batch.shards.count == 1 {
                seconds += Clock.seconds(since: start)
                measured += 1
            }
            if seconds > 2 { break }
        }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let lanes = min(cores, configuration.workers * configuration.threads(cores: cores))
        return seconds / Double(max(1, measured)) * Double(batch.shards.count) / Double(lanes)
    }
}
