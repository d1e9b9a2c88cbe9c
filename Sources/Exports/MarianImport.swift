import Checkpoint
import Inference
import Model
import Parameters
import Preparation
import Settings
import Text

/// A Marian model in transformers' form, read whole, as a run that has done no step.
///
/// `dtrain train --from` goes on from the run, `translate` uses it, `export` gives the model back.
package struct MarianImport: Sendable {
    /// The model's layout.
    package let model: Transformer
    /// The parameters, in the order of the layout.
    package let parameters: ParameterVector
    /// The model's pieces under dtrain's ids.
    package let tokenizer: Tokenizer
    private let configuration: RunConfiguration

    /// Reads the folder at `path`; nothing is written.
    ///
    /// Throws: `ImportError`, `TextError`, `CheckpointError`, `ModelError`, `ConfigurationError`;
    /// `ResourceError` where there is no memory for it.
    package init(_ path: String) throws {
        let source = try MarianSource(path)
        try source.checkSizes()
        configuration = try source.configuration.runConfiguration(
            outputBias: source.hasOutputBias, origin: path)
        tokenizer = source.tokenizer
        model = try Transformer(Architecture(configuration, vocabulary: tokenizer.vocabulary))
        try model.requireMemory(vectors: 2)
        parameters = ParameterVector(count: model.layout.count)
        try source.load(model, into: parameters)
        guard model.computes(with: parameters) else {
            throw ImportError.notFinite(path: source.weights.path)
        }
    }

    /// Makes the run at `run`, whose folder must not hold anything; `software` is this program's
    /// name and version. Throws: `CheckpointError`.
    package func save(to run: String, software: String) throws -> CheckpointFolder {
        let facts = CheckpointFacts(
            architecture: model.architecture, configuration: configuration, software: software,
            text: nil)
        let folder = try RunFolder.create(run)
        let writer = try CheckpointWriter(
            in: folder.paths.checkpoints,
            state: CheckpointState(step: 0, adamCount: 0, epoch: 0, more: facts.json),
            tensors: model.layout.tensors, tokenizer: tokenizer.model)
        do throws(CheckpointError) {
            let zeros = ParameterVector(count: model.layout.count)
            // Adam's moments before the first step are zeros.
            for vector in [parameters, zeros, zeros] {
                let bytes = UnsafeRawBufferPointer(
                    start: vector.unsafeAddress, count: vector.byteCount)
                try writer.append(bytes)
            }
        } catch {
            writer.abandon()
            throw error
        }
        let checkpoint = try writer.commit()
        try folder.save(configuration: configuration.yaml, writer: software)
        return checkpoint
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
