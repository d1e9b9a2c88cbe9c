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
    /// The configuration as it was given, but for a vocabulary that had to shrink.
    package let configuration: RunConfiguration
    /// Counts of lines, and of pairs or passages, for the start of a run.
    package let summary: CorpusSummary
    /// The fingerprints by which the text is known again.
    package let savedText: SavedText
    /// The samples that are held out, in words.
    package let heldOutText: HeldOutText
    /// The tokenizer: trained on the text, or that of a file, a checkpoint or another run.
    package let tokenizer: Tokenizer
    /// Number of pieces that the vocabulary was to have, if the text does not allow so many.
    package let shrunkFrom: Int?
    /// Characters of the text that the tokenizer's own normaliser writes otherwise.
    package let rewritten: [Unicode.Scalar]
    /// The samples to learn from, as tokens.
    package let training: TokenizedCorpus
    /// The samples that are held out, as tokens.
    package let heldOut: TokenizedCorpus
    /// The batches of every step, a function of seed and step.
    package let schedule: BatchSchedule
    /// The batches that validation runs over, in order.
    package let heldOutBatches: [Batch]
    /// The model, laid out and checked, without parameters.
    package let model: Transformer

    /// Reads the text, trains the tokenizer unless one is given, cuts batches, lays out the model.
    ///
    /// `memory` is what a run that goes on knows of its text. `mayShrink`: nobody has asked for
    /// just so many pieces.
    ///
    /// Throws: `TextError`, `ModelError`, `CheckpointError` of a tokenizer's file or a run to start
    /// from.
    package init(
        _ configuration: RunConfiguration, memory: TextMemory? = nil,
        tokenizer given: Tokenizer? = nil, mayShrink: Bool = false
    ) throws {
        let rules = memory?.rules ?? .current
        let tooLong = configuration.text.tooLong
        let text = try LearningText(configuration, rules: rules, tooLong: tooLong)
        try memory?.check(text.trace)
        let tokenizer =
            try given ?? Self.tokenizer(configuration, text, mayShrink: mayShrink)
        try memory?.check(tokenizer, file: configuration.text.tokenizer ?? "")
        if given != nil { try Self.check(configuration.text.tokenizer, against: tokenizer, rules) }
        summary = text.summary
        savedText = SavedText(text.trace, tokenizer)
        heldOutText = text.heldOut
        rewritten = try tokenizer.rewritten(text.lines)
        (training, heldOut) = try text.tokenized(
            tokenizer, positions: configuration.architecture.positions, tooLong: tooLong)
        self.tokenizer = tokenizer
        self.configuration = configuration.shrunk(to: tokenizer, mayShrink: mayShrink)
        let asked = configuration.text.vocabulary
        shrunkFrom = self.configuration.text.vocabulary == asked ? nil : asked
        schedule = try BatchSchedule(
            corpus: training, batchTokens: configuration.batches.tokens,
            shards: configuration.batches.shards, seed: configuration.optimizer.seed)
        heldOutBatches = schedule.heldOutBatches(heldOut)
        model = try Transformer(
            Architecture(configuration, vocabulary: tokenizer.vocabulary),
            precision: configuration.optimizer.precision)
    }

    /// The same of a run that goes on from its newest checkpoint. Throws as `init`.
    package init(_ configuration: RunConfiguration, goingOnIn run: RunPaths) throws {
        let newest = try CheckpointShelf(run.checkpoints).newestWhole().checkpoint
        try self.init(
            configuration, memory: TextMemory(run, newest),
            tokenizer: newest.flatMap { try Tokenizer(of: $0) })
    }

    private static func tokenizer(
        _ configuration: RunConfiguration, _ text: LearningText, mayShrink: Bool
    ) throws -> Tokenizer {
        let rules = text.trace.rules
        if let path = configuration.text.tokenizer { return try tokenizer(in: path, rules) }
        if let path = configuration.text.from, case .run(let run) = FirstParameters(path) {
            let checkpoint = try newestCheckpoint(of: run).folder
            if let tokenizer = try Tokenizer(of: checkpoint, rules: rules) { return tokenizer }
        }
        // SentencePiece trains on threads of its own.
        try requireThreads(1)
        let vocabulary = configuration.text.vocabulary ?? TextSettings.standardVocabulary
        return mayShrink
            ? try Tokenizer.train(on: text.lines, atMost: vocabulary, rules: rules)
            : try Tokenizer.train(on: text.lines, vocabulary: vocabulary, rules: rules)
    }

    private static func tokenizer(in path: String, _ rules: TextRules) throws -> Tokenizer {
        let file = try ReadableFile(path)
        return try Tokenizer(model: try file.bytes(0..<file.size), file: path, rules: rules)
    }

    /// A run that goes on has its tokenizer in its checkpoint; the file, if it is still there, must
    /// hold the same. Throws: `otherTokenizer`.
    private static func check(
        _ path: String?, against tokenizer: Tokenizer, _ rules: TextRules
    ) throws {
        guard let path, FileManager.default.fileExists(atPath: path) else { return }
        guard try Self.tokenizer(in: path, rules).model == tokenizer.model else {
            throw TextError.otherTokenizer(file: path)
        }
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

    /// Names and shapes of the model's parameters, as a checkpoint's files list them.
    package var tensors: [TensorShape] { model.layout.tensors }
}

extension RunConfiguration {
    fileprivate func shrunk(to tokenizer: Tokenizer, mayShrink: Bool) -> RunConfiguration {
        guard mayShrink, text.tokenizer == nil, text.from == nil, let asked = text.vocabulary,
            tokenizer.vocabulary < asked
        else { return self }
        var shrunk = self
        shrunk.text.vocabulary = tokenizer.vocabulary
        return shrunk
    }
}

extension ParameterLayout {
    /// Names and shapes, as a checkpoint's files list them.
    package var tensors: [TensorShape] {
        slots.map { TensorShape(name: $0.name, shape: $0.shape) }
    }
}
