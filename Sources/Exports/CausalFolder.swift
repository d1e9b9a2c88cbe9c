import Checkpoint
import Model
import Text

/// A language model as one of transformers' classes and a tokenizer of its library `tokenizers`.
struct CausalFolder {
    private let model: ExportedModel
    private let kind: TransformersKind
    private let tokenizer: TokenizersFile

    /// Throws: `ExportError`.
    init(_ model: ExportedModel, _ kind: TransformersKind) throws {
        self.model = model
        self.kind = kind
        tokenizer = try TokenizersFile(model)
    }

    var files: [ExportedFile] {
        get throws {
            let isLlama = kind == .llama
            let tensors =
                isLlama
                ? CausalTensors.llama(model.transformer) : CausalTensors.gpt2(model.transformer)
            var configuration = isLlama ? llama : gpt2
            configuration.merge(common) { $1 }
            return try [
                ExportedFile(tensors, of: model),
                ExportedFile("config.json", json: JSON.object(configuration)),
                ExportedFile("generation_config.json", json: generation),
                ExportedFile("tokenizer_config.json", json: tokenizerConfiguration),
                ExportedFile("tokenizer.json", text: tokenizer.text),
            ]
        }
    }

    private var marks: [String: JSON] {
        [
            "pad_token_id": .integer(Int(Tokenizer.pad)),
            "bos_token_id": .integer(Int(Tokenizer.begin)),
            "eos_token_id": .integer(Int(Tokenizer.end)),
        ]
    }

    private var common: [String: JSON] {
        var common = marks
        common["architectures"] = .array([.string(kind.rawValue)])
        common["model_type"] = .string(kind == .llama ? "llama" : "gpt2")
        common["vocab_size"] = .integer(model.architecture.vocabulary)
        common["tie_word_embeddings"] = .bool(false)
        common["dtype"] = .string("float32")
        return common
    }

    private var gpt2: [String: JSON] {
        let a = model.architecture
        return [
            "n_positions": .integer(a.positions),
            "n_embd": .integer(a.dModel),
            "n_layer": .integer(a.decoderLayers),
            "n_head": .integer(a.heads),
            "n_inner": .integer(a.dFF),
            "activation_function": .string(a.activation.transformersName),
            "layer_norm_epsilon": .number(1e-5),
            "scale_attn_weights": .bool(true),
            "embd_pdrop": .float(a.dropout),
            "resid_pdrop": .float(a.dropout),
            "attn_pdrop": .float(a.attentionDropout),
        ]
    }

    private var llama: [String: JSON] {
        let a = model.architecture
        return [
            "max_position_embeddings": .integer(a.positions),
            "hidden_size": .integer(a.dModel),
            "intermediate_size": .integer(a.dFF),
            "num_hidden_layers": .integer(a.decoderLayers),
            "num_attention_heads": .integer(a.heads),
            "num_key_value_heads": .integer(a.heads),
            "head_dim": .integer(a.dModel / a.heads),
            "hidden_act": .string(a.activation.transformersName),
            "rms_norm_eps": .number(1e-5),
            "rope_parameters": .object([
                "rope_type": .string("default"), "rope_theta": .number(10_000),
            ]),
            "attention_bias": .bool(true),
            "mlp_bias": .bool(true),
            "attention_dropout": .float(a.attentionDropout),
        ]
    }

    private var generation: JSON {
        var generation = marks
        generation["max_length"] = .integer(model.architecture.positions)
        generation["num_beams"] = .integer(1)
        generation["do_sample"] = .bool(false)
        generation["suppress_tokens"] = .array(model.unsaid.map(JSON.integer))
        return .object(generation)
    }

    private var tokenizerConfiguration: JSON {
        let marks = model.pieces.prefix(4).map(JSON.string)
        return .object([
            "tokenizer_class": .string("PreTrainedTokenizerFast"),
            "model_max_length": .integer(model.architecture.positions),
            "model_input_names": .array([.string("input_ids"), .string("attention_mask")]),
            "clean_up_tokenization_spaces": .bool(false),
            "padding_side": .string("left"),
            "pad_token": marks[Int(Tokenizer.pad)],
            "bos_token": marks[Int(Tokenizer.begin)],
            "eos_token": marks[Int(Tokenizer.end)],
            "unk_token": marks[Int(Tokenizer.unknown)],
        ])
    }
}
