import Checkpoint
import Inference
import Model
import Parameters
import Preparation
import Settings
import Text

/// Takes a Marian model in transformers' form as a run that has done no step.
///
/// `dtrain train --from` goes on from it, `translate` uses it, `export` gives it back.
package enum MarianImport {
    /// What has been taken.
    package struct Summary: Sendable {
        /// The checkpoint in the new run's folder.
        package let checkpoint: String
        /// The model's sizes and choices.
        package let architecture: Architecture
        /// The number of parameters.
        package let parameters: Int
        /// SHA-256 of the parameters.
        package let digest: String
    }

    /// Reads the folder at `path` whole and makes the run at `run`, whose folder must not hold anything.
    ///
    /// Throws: `ImportError`, `TextError`, `CheckpointError`, `ModelError`, `ConfigurationError`;
    /// `ResourceError` where there is no memory for it. Until all has been read nothing is written.
    package static func take(
        _ path: String, to run: String, software: String
    ) throws -> Summary {
        let source = try MarianSource(path)
        let configuration = try source.configuration.runConfiguration(
            outputBias: source.hasOutputBias, origin: path)
        let model = try Transformer(
            Architecture(configuration, vocabulary: source.tokenizer.vocabulary))
        try model.requireMemory(vectors: 2)
        let parameters = ParameterVector(count: model.layout.count)
        try source.load(model, into: parameters)
        guard model.computes(with: parameters) else {
            throw ImportError.notFinite(path: source.weights.path)
        }
        let facts = CheckpointFacts(
            architecture: model.architecture, configuration: configuration, software: software,
            text: nil)
        let folder = try RunFolder.create(run)
        let writer = try CheckpointWriter(
            in: folder.paths.checkpoints,
            state: CheckpointState(step: 0, adamCount: 0, epoch: 0, more: facts.json),
            tensors: model.layout.tensors, tokenizer: source.tokenizer.model)
        do {
            try parameters.withFloats { try writer.append(UnsafeRawBufferPointer($0)) }
            // Adam's moments before the first step.
            let zeros = [Float](repeating: 0, count: 1 << 16)
            var rest = 2 * model.layout.count
            while rest > 0 {
                let count = min(rest, zeros.count)
                try zeros[..<count].withUnsafeBytes { try writer.append($0) }
                rest -= count
            }
        } catch {
            writer.abandon()
            throw error
        }
        let checkpoint = try writer.commit()
        try folder.save(configuration: configuration.yaml, writer: software)
        return Summary(
            checkpoint: checkpoint.path, architecture: model.architecture,
            parameters: model.layout.count, digest: checkpoint.digest)
    }
}

/// An error in taking another program's model.
package enum ImportError: Error, Equatable, Sendable {
    /// The path is no folder.
    case noFolder(path: String)
    /// The folder lacks a file that a Marian model in transformers' form has.
    case missing(path: String, file: String)
    /// The parameters lie in a file that only Python reads.
    case pickled(path: String)
    /// A file is larger than any that is one.
    case tooLarge(path: String, bytes: Int)
    /// A file of JSON does not hold an object.
    case noObject(path: String)
    /// The model is of another kind.
    case otherModel(path: String, kind: String?)
    /// A key is missing, or has a value of another kind.
    case unreadable(path: String, key: String)
    /// A key has a value that dtrain's model cannot have.
    case inexpressible(path: String, key: String, value: String)
    /// Two keys differ whose values dtrain has but one of.
    case apart(path: String, key: String, other: String)
    /// `vocab.json` is not an object of numbers; `at` is the byte, counted from 0.
    case vocabulary(path: String, at: Int)
    /// A mark has no piece, or two marks are one.
    case marks(path: String)
    /// The parameters lack a tensor.
    case noTensor(path: String, tensor: String)
    /// A tensor has another shape than the configuration says.
    case shape(path: String, tensor: String, expected: [Int], found: [Int])
    /// A tensor's numbers are of a type that is not read.
    case type(path: String, tensor: String, type: String)
    /// A tensor has no place in the model.
    case stranger(path: String, tensor: String)
    /// Two tensors should be one and are not, or the positions are other ones.
    case differs(path: String, tensor: String, other: String?)
    /// The parameters are not finite, or so large that nothing computed from them is.
    case notFinite(path: String)
}
