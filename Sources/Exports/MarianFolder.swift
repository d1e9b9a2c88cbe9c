import Checkpoint
import Model
import Text

/// A translator as transformers' `MarianMTModel` and `MarianTokenizer` have it.
struct MarianFolder {
    private let model: ExportedModel
    /// Marian's own files, of a model that came from there.
    private let own: MarianFiles?
    /// dtrain's id of each of Marian's numbers.
    private let ids: [Int]

    init(_ model: ExportedModel) {
        self.model = model
        own = model.tokenizer.marian
        ids = model.tokenizer.marianIDs ?? Array(0..<model.architecture.vocabulary)
    }

    var files: [ExportedFile] {
        get throws {
            let tensors = MarianTensors(model.transformer, ids: ids)
            return try [
                ExportedFile(tensors.all, of: model),
                ExportedFile("config.json", json: configuration),
                ExportedFile("generation_config.json", json: generation),
                ExportedFile("tokenizer_config.json", json: tokenizer),
                ExportedFile("source.spm", own?.source ?? model.tokenizer.model),
                ExportedFile("target.spm", own?.target ?? model.tokenizer.model),
                own.map { ExportedFile("vocab.json", $0.vocabulary) }
                    ?? ExportedFile(
                        "vocab.json", text: JSONText.numbers(of: model.pieces, indent: "") + "\n"),
            ]
        }
    }

    private var pad: Int { own?.pad ?? Int(Tokenizer.pad) }
    private var start: Int { own?.start ?? Int(Tokenizer.begin) }
    private var end: Int { own?.end ?? Int(Tokenizer.end) }

    private var configuration: JSON {
        let a = model.architecture
        return .object([
            "architectures": .array([.string(TransformersKind.marian.rawValue)]),
            "model_type": .string("marian"),
            "is_encoder_decoder": .bool(true),
            "activation_function": .string(a.activation.transformersName),
            "activation_dropout": .float(a.dropout),
            "attention_dropout": .float(a.attentionDropout),
            "dropout": .float(a.dropout),
            "d_model": .integer(a.dModel),
            "encoder_layers": .integer(a.encoderLayers),
            "decoder_layers": .integer(a.decoderLayers),
            "encoder_ffn_dim": .integer(a.dFF),
            "decoder_ffn_dim": .integer(a.dFF),
            "encoder_attention_heads": .integer(a.heads),
            "decoder_attention_heads": .integer(a.heads),
            "max_position_embeddings": .integer(a.positions),
            "scale_embedding": .bool(true),
            "static_position_embeddings": .bool(true),
            "normalize_before": .bool(false),
            "normalize_embedding": .bool(false),
            "add_final_layer_norm": .bool(false),
            "share_encoder_decoder_embeddings": .bool(a.tying == .all),
            "tie_word_embeddings": .bool(a.tying != .none),
            "vocab_size": .integer(ids.count),
            "decoder_vocab_size": .integer(ids.count),
            "pad_token_id": .integer(pad),
            "bos_token_id": .integer(start),
            "eos_token_id": .integer(end),
            "forced_eos_token_id": .null,
            "decoder_start_token_id": .integer(start),
            "dtype": .string("float32"),
        ])
    }

    private var generation: JSON {
        var unsaid = Set([pad, start])
        // Ids without a piece were never taught.
        if own == nil { unsaid.formUnion(model.unsaid) }
        return .object([
            "pad_token_id": .integer(pad),
            "bos_token_id": .integer(start),
            "eos_token_id": .integer(end),
            "decoder_start_token_id": .integer(start),
            "max_length": .integer(model.architecture.positions),
            "num_beams": .integer(1),
            "do_sample": .bool(false),
            "suppress_tokens": .array(unsaid.sorted().map(JSON.integer)),
        ])
    }

    private var tokenizer: JSON {
        .object([
            "tokenizer_class": .string("MarianTokenizer"),
            "model_max_length": .integer(model.architecture.positions),
            "separate_vocabs": .bool(false),
            "sp_model_kwargs": .object([:]),
            "source_lang": .null,
            "target_lang": .null,
            "eos_token": .string(model.pieces[Int(Tokenizer.end)]),
            "pad_token": .string(model.pieces[Int(Tokenizer.pad)]),
            "unk_token": .string(model.pieces[Int(Tokenizer.unknown)]),
        ])
    }
}

extension JSON {
    /// A number with the digits that float32 has.
    static func float(_ value: Float) -> JSON {
        Double("\(value)").map(JSON.number) ?? .null
    }
}
