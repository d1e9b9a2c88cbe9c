import Checkpoint
import Foundation
import Model
import Settings

/// A form in which other programs take a model.
///
/// Every byte is a function of the checkpoint and of the format's own choices: neither the time, nor
/// the host, nor the place of the run reach a file.
package protocol ExportFormat: Sendable {
    /// The name that `dtrain export --to` knows the format by.
    static var name: String { get }

    /// Returns the files of the folder. Nothing is written yet; each file is written when it is asked to.
    ///
    /// - Parameter card: the text of `README.md`, which is among the files.
    /// - Throws: `ExportError` where the format cannot say what the model computes; `CheckpointError`.
    func files(of model: ExportedModel, card: String) throws -> [ExportedFile]
}

/// Takes bytes one behind the other.
package protocol ByteSink: AnyObject {
    /// Appends bytes.
    func append(_ bytes: UnsafeRawBufferPointer) throws
}

extension ByteSink {
    /// Appends bytes.
    package func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }
}

extension FileOfFolder: ByteSink {}

/// A file of an export. It can be written any number of times, always the same.
package struct ExportedFile: Sendable {
    /// The name of the file, without a slash.
    package let name: String
    /// Writes the file into a sink.
    package let write: @Sendable (any ByteSink) throws -> Void

    /// Makes a file of a function that writes it.
    package init(_ name: String, write: @escaping @Sendable (any ByteSink) throws -> Void) {
        self.name = name
        self.write = write
    }

    /// Makes a file of its bytes.
    package init(_ name: String, _ bytes: [UInt8]) {
        self.init(name) { try $0.append(bytes) }
    }

    /// Makes a file of a text.
    package init(_ name: String, text: String) { self.init(name, Array(text.utf8)) }

    /// Makes a file of a value's JSON: keys sorted, over several lines.
    package init(_ name: String, json value: some Encodable) throws {
        let data = try JSONForm.encoder(pretty: true).encode(value)
        self.init(name, [UInt8](data) + [0x0A])
    }

    /// Makes a copy of another file. Throws: `CheckpointError.io`.
    package init(_ name: String, copyOf path: String) throws {
        let file = try ReadableFile(path)
        self.init(name) { sink in
            var failure: (any Error)?
            try file.stream(0..<file.size) { bytes in
                do { if failure == nil { try sink.append(bytes) } } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }
}

/// An error in writing a model in another program's form.
package enum ExportError: Error, Equatable, Sendable {
    /// The format cannot say what the model computes.
    case notExpressible(format: String, Obstacle)
    /// A program's class does not have a choice of the model.
    case lacks(program: String, Setting, value: String)
    /// The tokenizer splits into words or characters, which the format does not.
    case tokenizer(format: String)
    /// The format's counts are too small for one of the tensors.
    case tensorTooLarge(format: String, tensor: String, bytes: Int)
    /// The format's counts are too small for all files together.
    case packageTooLarge(bytes: Int)
    /// The scores are of another model.
    case otherScores(path: String, digest: String, model: String)
    /// The file is not what `dtrain evaluate --json` prints.
    case noScores(path: String)

    /// The choice of a model that a format lacks.
    package enum Obstacle: Hashable, Sendable {
        /// Sub-layers whose input is not added to their output.
        case noResidual
        /// Norms of a column over all tokens.
        case batchNorm
        /// A language model, where only translators can be expressed.
        case languageModel
        /// A tokenizer for each side, of a model that was Marian's.
        case twoTokenizers
    }
}
