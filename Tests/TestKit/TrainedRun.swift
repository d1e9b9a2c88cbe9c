import Checkpoint
import Foundation
import Model
import Parameters
import Preparation
import Settings
import Text
import Training

/// A run folder with checkpoints of a small model, trained here by one lane.
package struct TrainedRun: Sendable {
    package let path: String
    package let prepared: PreparedRun

    /// Twelve pairs, trained on and validated on; five words, for BLEU counts four in a row.
    package static let text = """
        the cat sleeps quite well\tle chat dort assez bien
        the dog sleeps quite well\tle chien dort assez bien
        the cat eats quite well\tle chat mange assez bien
        the dog eats quite well\tle chien mange assez bien
        a cat sleeps quite well\tun chat dort assez bien
        a dog sleeps quite well\tun chien dort assez bien
        a cat eats quite well\tun chat mange assez bien
        a dog eats quite well\tun chien mange assez bien
        the cat runs quite well\tle chat court assez bien
        the dog runs quite well\tle chien court assez bien
        a cat runs quite well\tun chat court assez bien
        a dog runs quite well\tun chien court assez bien

        """

    /// Trains on `text` in `folder` and saves a checkpoint at each of `steps`, which ascend.
    package init(
        in folder: TemporaryFolder, name: String = "run", steps: [Int],
        settings: [(Setting, String)] = []
    ) throws {
        let corpus = try folder.write(Self.text, to: "\(name).tsv")
        var given = GivenSettings()
        let small: [(Setting, String)] = [
            (.corpus, corpus), (.validation, corpus), (.vocabulary, "48"), (.dModel, "32"),
            (.layers, "1"), (.dFF, "64"), (.heads, "2"), (.dropout, "0"), (.positions, "24"),
            (.batchTokens, "200"), (.learningRate, "0.01"), (.warmup, "20"), (.shards, "2"),
        ]
        for (setting, text) in small + settings { given.set(setting, text) }
        // A language model has a text of its own.
        if settings.contains(where: { $0.0 == .text }) {
            for setting in [Setting.corpus, .validation] { given.remove(setting) }
        }
        path = folder.file(name).path
        prepared = try PreparedRun(RunConfiguration(given))
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        try SettingsFile.text(prepared.configuration.yaml, writer: "dtrain of a test").write(
            toFile: path + "/configuration.yaml", atomically: true, encoding: .utf8)
        try train(savingAt: steps)
    }

    /// The same run, with a copy of its files in `folder`.
    package func copied(to folder: TemporaryFolder) throws -> TrainedRun {
        let url = URL(fileURLWithPath: path)
        let copy = folder.file(url.lastPathComponent)
        try FileManager.default.copyItem(at: url, to: copy)
        return TrainedRun(path: copy.path, prepared: prepared)
    }

    private init(path: String, prepared: PreparedRun) {
        self.path = path
        self.prepared = prepared
    }

    package func checkpoint(_ step: Int) -> String {
        path + "/checkpoints/step-" + String(String(1_000_000 + step).dropFirst())
    }

    private func train(savingAt steps: [Int]) throws {
        let configuration = prepared.configuration
        let count = prepared.model.layout.count
        let state = TrainingState(
            parameters: ParameterVector(count: count),
            trainable: prepared.model.layout.trainable)
        let arithmetic = configuration.optimizer.arithmetic
        arithmetic.begin(state, of: prepared.model)
        let lane = Lane(prepared.model)
        let gradient = ParameterVector(count: count)
        let total = ParameterVector(count: count)
        if steps.contains(0) { try save(state) }
        for step in 1...max(1, steps.last ?? 1) {
            let batch = prepared.schedule.batch(step: step)
            total.fill(0)
            for (index, shard) in batch.shards.enumerated() {
                _ = arithmetic.gradient(
                    of: ModelInput(shard), shard: index, step: step, labels: batch.labels,
                    parameters: state.parameters, into: gradient, on: lane)
                gradient.withFloats { source in
                    total.withMutableFloats { sum in
                        for index in 0..<count { sum[index] += source[index] }
                    }
                }
            }
            state.update(
                total: total, adam: arithmetic.adam, scale: 1,
                rate: arithmetic.schedule.rate(step: step))
            if steps.contains(step) { try save(state) }
        }
    }

    private func save(_ state: TrainingState) throws {
        let facts = CheckpointFacts(
            architecture: prepared.model.architecture, configuration: prepared.configuration,
            software: "dtrain tests", text: prepared.savedText)
        let writer = try CheckpointWriter(
            in: path + "/checkpoints",
            state: CheckpointState(
                step: state.step, adamCount: state.adamCount, epoch: 1, more: facts.json),
            tensors: prepared.tensors, tokenizer: prepared.tokenizer.model)
        for vector in [state.parameters, state.firstMoment, state.secondMoment] {
            try vector.withBytes(0..<vector.count) { try writer.append($0) }
        }
        _ = try writer.commit()
    }
}
