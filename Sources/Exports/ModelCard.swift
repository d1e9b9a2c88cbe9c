import Checkpoint
import Foundation
import Model
import Preparation
import Settings
import Text

/// The facts of a model that its card states.
package struct ModelCard: Sendable {
    /// One text that the model has learnt from, or was validated on.
    package struct Source: Sendable {
        /// The names of the files, without the folders that they lay in.
        package let files: [String]
        /// The number of pairs, or of passages.
        package let samples: Int
        /// SHA-256 of the block hashes in the run's `text.json`, one a line.
        package let fingerprint: String
    }

    /// One setting that another model, or other numbers, would have another value of.
    package struct Choice: Sendable {
        /// The name of the setting.
        package let name: String
        /// The value, as it would be typed.
        package let value: String
    }

    /// The name of the format that the model was exported in, with its number type if it has one.
    package let format: String
    /// The number type of the weights: `float32`, `bfloat16`, `int8`.
    package let numbers: String
    /// The model's sizes and choices.
    package let architecture: Architecture
    /// The number of parameters.
    package let parameters: Int
    /// The number of pieces of the tokenizer, marks included.
    package let pieces: Int
    /// The number of steps done.
    package let step: Int
    /// The pass over the text in which the last step lies.
    package let epoch: Int
    /// SHA-256 of the parameters as little-endian float32 in layout order.
    package let digest: String
    /// The program that wrote the checkpoint.
    package let software: String
    /// The version of its arithmetic.
    package let arithmetic: Int
    /// The texts; empty where the first version wrote the checkpoint.
    package let sources: [Source]
    /// The settings that made the numbers.
    package let settings: [Choice]
    /// The scores that were given; nil without any.
    package let scores: SavedScores?

    /// Collects the facts of a model. `scores` are of this model.
    package init(
        _ model: ExportedModel, format: String, numbers: String = "float32", scores: SavedScores?
    ) {
        self.format = format
        self.numbers = numbers
        self.scores = scores
        architecture = model.architecture
        parameters = model.transformer.layout.count
        pieces = model.tokenizer.vocabulary
        step = model.checkpoint.step
        epoch = model.checkpoint.state.epoch
        digest = model.checkpoint.digest
        software = model.facts.software
        arithmetic = model.checkpoint.arithmetic
        sources = (model.facts.text?.fingerprint.parts ?? []).map { part in
            Source(
                files: part.files.map { $0.split(separator: "/").last.map(String.init) ?? $0 },
                samples: part.samples,
                fingerprint: SHA256.digest(Array((part.blocks.joined(separator: "\n") + "\n").utf8))
            )
        }
        let configuration = model.facts.configuration
        settings = Setting.allCases.compactMap { setting in
            // Where another run lay is nobody's business.
            guard setting != .from, [.model, .numbers].contains(setting.row.effect),
                let value = configuration.text(setting)
            else { return nil }
            return Choice(name: setting.rawValue, value: value)
        }
    }
}

/// The scores that `dtrain evaluate --json` has printed.
package struct SavedScores: Sendable, Decodable {
    /// One score with what must be known to repeat it.
    package struct Score: Sendable, Decodable {
        /// The name of the metric.
        package let name: String
        /// The score, as the metric counts it.
        package let score: Double
        /// The signature, as sacreBLEU writes it.
        package let signature: String
    }

    /// Unsmoothed nats a target token.
    package let loss: Double
    /// The loss as perplexity.
    package let perplexity: Double
    /// The number of pairs; nil for a language model.
    package let pairs: Int?
    /// The scores; nil for a language model.
    package let scores: [Score]?
    /// The digest of the model that was evaluated.
    package let digest: String

    /// Reads what was printed about a model. Throws: `noScores`, `otherScores`; `CheckpointError.io`.
    package init(_ path: String, of model: ExportedModel) throws {
        let file = try ReadableFile(path)
        let limit = 1 << 20
        guard file.size <= limit,
            let read = try? JSONForm.decoder().decode(
                SavedScores.self, from: Data(try file.bytes(0..<file.size)))
        else { throw ExportError.noScores(path: path) }
        guard read.digest == model.checkpoint.digest else {
            throw ExportError.otherScores(
                path: path, digest: read.digest, model: model.checkpoint.digest)
        }
        self = read
    }
}
