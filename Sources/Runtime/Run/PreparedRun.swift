import Checkpoint
import Foundation
import Model
import Parameters
import Resources
import Settings
import Text
import Training

/// Everything about a run that follows from its configuration and its text.
package struct PreparedRun: Sendable {
    package let configuration: RunConfiguration
    package let summary: CorpusSummary
    package let tokenizer: Tokenizer
    package let training: TokenizedCorpus
    package let heldOut: TokenizedCorpus
    package let schedule: BatchSchedule
    package let heldOutBatches: [Batch]
    package let model: Transformer

    /// Reads the text, trains the tokenizer unless one is given, cuts batches, lays out the model.
    ///
    /// Throws: `TextError`, `ModelError`, `CheckpointError` of a tokenizer's file or a run to start
    /// from.
    package init(_ configuration: RunConfiguration, tokenizer given: Tokenizer? = nil) throws {
        self.configuration = configuration
        let text = try LearningText(configuration)
        summary = text.summary
        tokenizer = try given ?? Self.tokenizer(configuration, text)
        (training, heldOut) = try text.tokenized(
            tokenizer, positions: configuration.architecture.positions)
        schedule = try BatchSchedule(
            corpus: training, batchTokens: configuration.batches.tokens,
            shards: configuration.batches.shards, seed: configuration.optimizer.seed)
        heldOutBatches = schedule.heldOutBatches(heldOut)
        model = try Transformer(
            Architecture(configuration, vocabulary: tokenizer.vocabulary))
    }

    private static func tokenizer(
        _ configuration: RunConfiguration, _ text: LearningText
    ) throws -> Tokenizer {
        if let path = configuration.text.tokenizer {
            let file = try ReadableFile(path)
            return try Tokenizer(model: try file.bytes(0..<file.size), file: path)
        }
        if let path = configuration.text.from, case .run(let run) = FirstParameters(path) {
            let checkpoint = try newestCheckpoint(of: run).folder
            if let tokenizer = try Tokenizer(of: checkpoint) { return tokenizer }
        }
        // SentencePiece trains on threads of its own.
        try requireThreads(1)
        return try Tokenizer.train(
            on: text.lines,
            vocabulary: configuration.text.vocabulary ?? TextSettings.standardVocabulary)
    }

    /// The newest whole checkpoint of a run, and newer ones that are damaged.
    ///
    /// Throws: `noCheckpoint` when there is none.
    package static func newestCheckpoint(
        of run: String
    ) throws(CheckpointError) -> (folder: CheckpointFolder, rejected: [CheckpointShelf.Rejected]) {
        let (folder, rejected) = try CheckpointShelf(RunPaths(run).checkpoints).newestWhole()
        guard let folder else { throw .noRun(path: run) }
        return (folder, rejected)
    }

    /// The last step of the run; nil if only time limits it.
    package var lastStep: Int? {
        configuration.length.lastStep(batchesPerEpoch: schedule.batchesPerEpoch)
    }

    package var tensors: [TensorShape] { model.layout.tensors }
}

extension ParameterLayout {
    /// Names and shapes, as a checkpoint's files list them.
    package var tensors: [TensorShape] {
        slots.map { TensorShape(name: $0.name, shape: $0.shape) }
    }
}
