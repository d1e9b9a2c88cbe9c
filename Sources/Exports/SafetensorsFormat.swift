import Checkpoint
import Text

/// The checkpoint's tensors as they are, under the names of `nn.Transformer`.
package struct SafetensorsFormat: ExportFormat {
    /// The name of the format.
    package static let name = "safetensors"

    /// Makes the format, which has no choices.
    package init() {}

    /// The tensors, what a reader must know about them, the tokenizer and the card.
    package func files(of model: ExportedModel, card: String) throws -> [ExportedFile] {
        [
            try ExportedFile("model.safetensors", copyOf: try model.checkpoint.model().path),
            try ExportedFile("config.json", json: ModelConfig(model)),
            ExportedFile("README.md", text: card),
        ] + model.tokenizerFiles("tokenizer.model")
    }
}

/// What the tensors' names and shapes do not say.
private struct ModelConfig: Encodable {
    let architecture: JSON
    let step: Int
    let digest: String
    let software: String
    let arithmetic: Int
    let padID = Tokenizer.pad
    let beginID = Tokenizer.begin
    let endID = Tokenizer.end
    let unknownID = Tokenizer.unknown

    init(_ model: ExportedModel) {
        architecture = model.facts.json["architecture"] ?? .null
        step = model.checkpoint.step
        digest = model.checkpoint.digest
        software = model.facts.software
        arithmetic = model.checkpoint.arithmetic
    }

    enum CodingKeys: String, CodingKey {
        case architecture, step, digest, software, arithmetic
        case padID = "pad_id"
        case beginID = "begin_id"
        case endID = "end_id"
        case unknownID = "unknown_id"
    }
}
