import Checkpoint
import Foundation
import Model
import Text

/// A model of CTranslate2, which translates on processors and graphics cards: TransformerSpec
/// revision 7 for a translator, TransformerDecoderSpec revision 8 for a language model.
package struct CTranslate2Format: ExportFormat {
    /// The name of the format.
    package static let name = "ctranslate2"
    /// The file that holds the SentencePiece model.
    package static let tokenizerFile = "tokenizer.model"

    /// The form of the weights.
    package let numbers: NumberType

    /// Makes the format with its choice of numbers.
    package init(_ numbers: NumberType) { self.numbers = numbers }

    /// The model, its configuration and vocabulary, the tokenizer and the card.
    ///
    /// Throws: `notExpressible`, `tensorTooLarge`.
    package func files(of model: ExportedModel, card: String) throws -> [ExportedFile] {
        try engineFiles(of: model) + model.tokenizerFiles(Self.tokenizerFile)
            + [ExportedFile("README.md", text: card)]
    }

    /// The files that the engine itself reads.
    func engineFiles(of model: ExportedModel) throws -> [ExportedFile] {
        let isText = model.architecture.kind == .languageModel
        let layout = try CTranslate2Layout(model)
        let variables = layout.variables
        let (parameters, numbers) = (model.parameters, self.numbers)
        @Sendable func binary() throws(ExportError) -> CTranslate2Binary {
            try CTranslate2Binary(
                specification: isText ? "TransformerDecoderSpec" : "TransformerSpec",
                revision: isText ? 8 : 7, variables, parameters: parameters, type: numbers)
        }
        // Refuses now what cannot be written.
        _ = try binary()
        return [
            ExportedFile("model.bin") { try binary().write(to: $0) },
            try ExportedFile("config.json", json: Configuration(model)),
            try ExportedFile(
                isText ? "vocabulary.json" : "shared_vocabulary.json", json: model.pieces),
        ]
    }
}

/// `config.json`: what the engine puts around a sentence.
private struct Configuration: Encodable {
    let bosToken, eosToken, unkToken: String
    /// Of a translator only.
    let decoderStartToken: String?
    let addSourceBos, addSourceEos: Bool?
    let layerNormEpsilon: Double
    let multiQueryAttention = false

    init(_ model: ExportedModel) {
        bosToken = model.pieces[Int(Tokenizer.begin)]
        eosToken = model.pieces[Int(Tokenizer.end)]
        unkToken = model.pieces[Int(Tokenizer.unknown)]
        let isText = model.architecture.kind == .languageModel
        decoderStartToken = isText ? nil : bosToken
        addSourceBos = isText ? nil : false
        addSourceEos = isText ? nil : true
        layerNormEpsilon =
            model.architecture.norm == .none ? Double(CTranslate2Layout.idleEpsilon) : 1e-5
    }

    enum CodingKeys: String, CodingKey {
        case bosToken = "bos_token"
        case eosToken = "eos_token"
        case unkToken = "unk_token"
        case decoderStartToken = "decoder_start_token"
        case addSourceBos = "add_source_bos"
        case addSourceEos = "add_source_eos"
        case layerNormEpsilon = "layer_norm_epsilon"
        case multiQueryAttention = "multi_query_attention"
    }
}
