import Checkpoint
import Training

extension PreparedRun {
    /// What a run will take, for `--dry-run`: labels and values.
    package func forecast(of configuration: RunConfiguration) -> [(label: String, value: String)] {
        let count = model.layout.count
        let vector = count * 4
        let shardsOfOne =
            (configuration.shards + configuration.workers - 1) / configuration.workers
        // θ, m, v, the total and a gradient for each shard; a snapshot copies three of them.
        let worker = vector * (4 + shardsOfOne + 3)
        let disk = CheckpointWriter.bytesNeeded(tensors: tensors, tokenizer: tokenizer.model)
        var lines = [
            ("pairs to train on", "\(training.samples.count)"),
            ("pairs held out", "\(heldOut.samples.count)"),
            ("tokens an epoch", "\(training.tokens)"),
            ("steps an epoch", "\(schedule.batchesPerEpoch)"),
            ("vocabulary", "\(tokenizer.vocabulary)"),
            ("parameters", "\(count)"),
            ("vectors of a worker", "\(worker / 1_000_000) MB, activations besides"),
            ("a checkpoint", "\(disk / 1_000_000) MB"),
        ]
        if let lastStep { lines.append(("steps", "\(lastStep)")) }
        return lines
    }
}
