import Checkpoint
import Foundation
import Model
import Parameters
import Preparation
import Settings
import Text

/// An error in finding or using a trained model.
package enum InferenceError: Error, Equatable, Sendable {
    /// The path is neither a run nor a checkpoint.
    case noModel(path: String)
    /// The run has no whole checkpoint yet.
    case noCheckpoint(run: String)
    case noTokenizer(checkpoint: String)
    /// The tokenizer has more pieces than the model knows.
    case otherTokenizer(checkpoint: String, pieces: Int, vocabulary: Int)
    /// No pair of the file, or of the run's own text, can be used.
    case nothingToEvaluate(path: String?)
    /// The run's own text is not where it was; `code` is errno.
    case ownTextUnreadable(file: String, code: Int32)
    /// The run's own text came through a pipe.
    case ownTextHasPassed(file: String)
    /// A translator where a language model is wanted, or the other way round.
    case otherKind(checkpoint: String, kind: Architecture.Kind)
    case promptTooLong(tokens: Int, positions: Int)
    /// Its parameters are not finite, or so large that nothing that is computed from them is.
    case notFinite(checkpoint: String)
}

/// A checkpoint that has been found, and the newer ones that were passed over as damaged.
package struct FoundCheckpoint: Sendable {
    /// The checkpoint, opened and checked.
    package let folder: CheckpointFolder
    /// The newer checkpoints that are damaged, with the reasons; empty where one was named itself.
    package let rejected: [CheckpointShelf.Rejected]
    /// The settings of the run that it was found in, where they can be read: its text may have
    /// moved since.
    let settings: RunConfiguration?

    /// Takes a checkpoint as it is, of a run the newest that is whole.
    ///
    /// Throws: `InferenceError.noModel`, `noCheckpoint`; `CheckpointError` of a checkpoint that was
    /// named itself.
    package init(_ path: String) throws {
        let paths = RunPaths(path)
        guard PathContent(at: path) == .folder else { throw InferenceError.noModel(path: path) }
        if FileManager.default.fileExists(atPath: paths.folder + "/manifest.json") {
            folder = try CheckpointFolder(paths.folder)
            rejected = []
            settings = nil
            return
        }
        guard
            FileManager.default.fileExists(atPath: paths.checkpoints)
                || FileManager.default.fileExists(atPath: paths.configuration)
        else { throw InferenceError.noModel(path: path) }
        // A newer version's folder is not used, whatever its checkpoints look like.
        _ = try SettingsFile.read(paths.configuration)
        let (newest, rejected) = try CheckpointShelf(paths.checkpoints).newestWhole()
        guard let newest else {
            if let first = rejected.first { throw first.reason }
            throw InferenceError.noCheckpoint(run: path)
        }
        folder = newest
        settings = (try? SavedSettings(of: paths.folder))?.configuration
        self.rejected = rejected
    }
}

/// A trained model in memory with its tokenizer, read-only and fit for any number of threads.
package final class TrainedModel: Sendable {
    /// The checkpoint that the model was loaded from.
    package let checkpoint: FoundCheckpoint
    /// The settings of the run that it was found in, or else those that the checkpoint holds.
    package let configuration: RunConfiguration
    /// The fingerprints by which the run knows its text.
    let memory: TextMemory
    /// The tokenizer that the model was trained with.
    package let tokenizer: Tokenizer
    /// The model's layout.
    package let transformer: Transformer
    /// The parameters, in the order of the layout.
    package let parameters: ParameterVector

    /// Loads a checkpoint, or the newest whole one of a run.
    ///
    /// Throws: `InferenceError`, `CheckpointError`, `TextError`, `ModelError`.
    package convenience init(_ path: String) throws {
        try self.init(FoundCheckpoint(path))
    }

    /// Loads the model of a checkpoint that has been found.
    ///
    /// Throws: `InferenceError`, `CheckpointError`, `TextError`, `ModelError`; `ResourceError`
    /// where there is no memory for it.
    package init(_ checkpoint: FoundCheckpoint) throws {
        let folder = checkpoint.folder
        let facts = try CheckpointFacts(folder)
        guard let tokenizer = try Tokenizer(of: folder) else {
            throw InferenceError.noTokenizer(checkpoint: folder.path)
        }
        self.tokenizer = tokenizer
        guard tokenizer.vocabulary <= facts.architecture.vocabulary else {
            throw InferenceError.otherTokenizer(
                checkpoint: folder.path, pieces: tokenizer.vocabulary,
                vocabulary: facts.architecture.vocabulary)
        }
        configuration = checkpoint.settings ?? facts.configuration
        transformer = try Transformer(
            facts.architecture, precision: configuration.optimizer.precision)
        try transformer.requireMemory(vectors: 1)
        parameters = ParameterVector(count: transformer.layout.count)
        try folder.load(transformer.layout, into: [parameters])
        guard transformer.computes(with: parameters) else {
            throw InferenceError.notFinite(checkpoint: folder.path)
        }
        memory = facts.text.map(TextMemory.saved) ?? .none
        self.checkpoint = checkpoint
    }

    /// Most tokens of a sentence, its mark included.
    package var positions: Int { transformer.architecture.positions }
}

extension Transformer {
    /// Whether all parameters are finite, and so is the loss that they give for the shortest text.
    package func computes(with parameters: ParameterVector) -> Bool {
        guard parameters.withFloats({ $0.allSatisfy(\.isFinite) }) else { return false }
        let isText = architecture.kind == .languageModel
        let shard = Shard(
            samples: [0], sources: [isText ? [] : [Tokenizer.end]],
            targets: [isText ? [Tokenizer.end] : []])
        let loss = Lane(self).loss(of: ModelInput(shard), parameters: parameters, smoothing: 0)
        return loss.negativeLogLikelihood.isFinite
    }
}
