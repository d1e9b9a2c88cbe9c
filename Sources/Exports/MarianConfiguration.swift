import Checkpoint
import Foundation
import Model
import Settings
import Text

/// What a Marian model's `config.json` says, as far as dtrain can compute it.
struct MarianConfiguration {
    let path: String
    let dModel, encoderLayers, decoderLayers, dFF, heads, positions: Int
    let vocabulary, pad, start, end: Int
    let activation: Architecture.Activation
    let tying: Architecture.Tying
    let dropout, attentionDropout: Double

    /// Reads and checks `config.json`. Throws: `ImportError`, `CheckpointError`.
    init(_ path: String) throws {
        let reader = try ConfigurationReader(path)
        self.path = path
        let kind = reader.text("model_type")
        guard kind == "marian" else { throw ImportError.otherModel(path: path, kind: kind) }
        dModel = try reader.number("d_model", 2...Architecture.Limit.dModel)
        encoderLayers = try reader.number("encoder_layers", 1...Architecture.Limit.layers)
        decoderLayers = try reader.number("decoder_layers", 1...Architecture.Limit.layers)
        dFF = try reader.number("encoder_ffn_dim", 1...Architecture.Limit.dFF)
        heads = try reader.number("encoder_attention_heads", 1...Architecture.Limit.heads)
        positions = try reader.number("max_position_embeddings", 2...Architecture.Limit.positions)
        vocabulary = try reader.number("vocab_size", 4...Architecture.Limit.vocabulary)
        for (key, other) in [
            ("decoder_ffn_dim", "encoder_ffn_dim"),
            ("decoder_attention_heads", "encoder_attention_heads"),
        ] where try reader.number(key, 1...Int.max) != reader.number(other, 1...Int.max) {
            throw ImportError.apart(path: path, key: key, other: other)
        }
        if reader.has("decoder_vocab_size"),
            try reader.number("decoder_vocab_size", 1...Int.max) != vocabulary
        {
            throw ImportError.apart(path: path, key: "decoder_vocab_size", other: "vocab_size")
        }
        guard dModel.isMultiple(of: 2) else { throw reader.inexpressible("d_model") }
        guard dModel.isMultiple(of: heads) else {
            throw reader.inexpressible("encoder_attention_heads")
        }
        pad = try reader.number("pad_token_id", 0...vocabulary - 1)
        end = try reader.number("eos_token_id", 0...vocabulary - 1)
        start = try reader.number("decoder_start_token_id", 0...vocabulary - 1)
        let function = reader.text("activation_function")
        guard let function, let activation = Architecture.Activation(transformersName: function)
        else { throw reader.inexpressible("activation_function") }
        self.activation = activation
        guard try reader.truth("scale_embedding", else: false) else {
            throw reader.inexpressible("scale_embedding", else: "false")
        }
        for key in ["normalize_before", "normalize_embedding", "add_final_layer_norm"]
        where try reader.truth(key, else: false) {
            throw reader.inexpressible(key)
        }
        let shares = try reader.truth("share_encoder_decoder_embeddings", else: true)
        let isTied = try reader.truth("tie_word_embeddings", else: true)
        guard isTied || !shares else {
            throw reader.inexpressible("tie_word_embeddings")
        }
        tying = shares ? .all : isTied ? .decoder : .none
        dropout = try reader.share("dropout", else: 0.1)
        attentionDropout = try reader.share("attention_dropout", else: 0)
    }

    /// The configuration of a run that begins with the model. `origin` is the folder.
    func runConfiguration(outputBias: Bool, origin: String) throws(ConfigurationError)
        -> RunConfiguration
    {
        let values: [(Setting, String)] = [
            (.from, origin), (.architecture, "encoder-decoder"), (.compatibleWith, "marian"),
            (.dModel, "\(dModel)"), (.encoderLayers, "\(encoderLayers)"),
            (.decoderLayers, "\(decoderLayers)"), (.dFF, "\(dFF)"), (.heads, "\(heads)"),
            (.activation, activation.rawValue), (.tying, tying.rawValue),
            (.outputBias, "\(outputBias)"), (.positions, "\(positions)"),
            (.dropout, "\(dropout)"), (.attentionDropout, "\(attentionDropout)"),
        ]
        var given = GivenSettings()
        for (setting, value) in values { given.set(setting, value, from: .run) }
        return try RunConfiguration(given)
    }
}

/// Reads keys of an object of JSON.
struct ConfigurationReader {
    private let path: String
    private let values: [String: JSON]

    /// Throws: `ImportError.tooLarge`, `noObject`; `CheckpointError`.
    init(_ path: String) throws {
        self.path = path
        let bytes = try contents(of: path, atMost: 16 << 20)
        guard case .object(let values)? = try? JSONDecoder().decode(JSON.self, from: Data(bytes))
        else { throw ImportError.noObject(path: path) }
        self.values = values
    }

    func has(_ key: String) -> Bool { values[key] != nil && values[key] != .null }

    func text(_ key: String) -> String? {
        if case .string(let text)? = values[key] { text } else { nil }
    }

    func number(_ key: String, _ range: ClosedRange<Int>) throws(ImportError) -> Int {
        guard case .integer(let number)? = values[key] else {
            throw .unreadable(path: path, key: key)
        }
        guard range.contains(number) else { throw inexpressible(key) }
        return number
    }

    func truth(_ key: String, else usual: Bool) throws(ImportError) -> Bool {
        guard has(key) else { return usual }
        guard case .bool(let truth)? = values[key] else {
            throw .unreadable(path: path, key: key)
        }
        return truth
    }

    /// A number from 0 to below 1.
    func share(_ key: String, else usual: Double) throws(ImportError) -> Double {
        guard has(key) else { return usual }
        let share: Double
        switch values[key] {
        case .integer(let number)?: share = Double(number)
        case .number(let number)?: share = number
        default: throw .unreadable(path: path, key: key)
        }
        // What float32 rounds to 1 is 1.
        guard share >= 0, Float(share) < 1 else { throw inexpressible(key) }
        return share
    }

    /// The error about a value that dtrain's model cannot have; `usual` is what an absent one means.
    func inexpressible(_ key: String, else usual: String = "missing") -> ImportError {
        let value =
            switch values[key] {
            case .bool(let truth)?: "\(truth)"
            case .integer(let number)?: "\(number)"
            case .number(let number)?: "\(number)"
            case .string(let text)?: String(text.prefix(40))
            case .array?: "a list"
            case .object?: "an object"
            case .null?, nil: usual
            }
        return .inexpressible(path: path, key: key, value: value)
    }
}

/// The bytes of a file of at most so many. Throws: `ImportError.tooLarge`, `CheckpointError`.
func contents(of path: String, atMost limit: Int) throws -> [UInt8] {
    let file = try ReadableFile(path)
    guard file.size <= limit else { throw ImportError.tooLarge(path: path, bytes: file.size) }
    return try file.bytes(0..<file.size)
}
