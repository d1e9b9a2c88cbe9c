import Kernels
import Model
import Parameters

/// The variables of a model as CTranslate2's Transformer names them.
///
/// Source: OpenNMT/CTranslate2, python/ctranslate2/specs/transformer_spec.py and attention_spec.py,
/// src/layers/transformer.cc and attention_layer.cc.
struct CTranslate2Layout {
    private(set) var variables: [CTranslate2Variable] = []
    private let model: ExportedModel
    private let architecture: Architecture

    /// CTranslate2 adds a sub-layer's input to its output where the sub-layer has a norm. A model without norms
    /// has norms that change no bit: x · 2^32 / √(mean(x²) + 2^64) is x, since no mean(x²) reaches 2^40.
    static let idleEpsilon: Float = 0x1p64
    private static let idleGain: Float = 0x1p32
    /// A logit that no word can have: the engine never says what dtrain never says.
    static let never: Float = -1e9

    init(_ model: ExportedModel) throws(ExportError) {
        self.model = model
        architecture = model.architecture
        guard architecture.residual else {
            throw .notExpressible(format: CTranslate2Format.name, .noResidual)
        }
        guard architecture.normalisation != .batch else {
            throw .notExpressible(format: CTranslate2Format.name, .batchNorm)
        }
        switch architecture.kind {
        case .encoderDecoder:
            addEncoder()
            addDecoder("decoder.", cross: true)
        case .languageModel: addDecoder("", cross: false)
        }
    }

    private mutating func addEncoder() {
        let shared = architecture.tying == .all
        add("encoder/embeddings_merge", .int8(0))
        add("encoder/multi_query_attention", .flag(false))
        addMatrix(
            "encoder/embeddings_0/weight", shared ? "embedding.weight" : "source_embedding.weight")
        addStack(
            "encoder", "encoder.", layers: architecture.encoderLayers, cross: false,
            input: "source_")
    }

    private mutating func addDecoder(_ prefix: String, cross: Bool) {
        for flag in ["alibi", "alibi_use_positive_positions", "scale_alibi"] {
            add("decoder/\(flag)", .flag(false))
        }
        add("decoder/start_from_zero_embedding", .flag(false))
        add("decoder/alignment_heads", .int16(1))
        add("decoder/alignment_layer", .int16(-1))
        addMatrix("decoder/embeddings/weight", "embedding.weight")
        addMatrix(
            "decoder/projection/weight",
            architecture.tying == .none ? "output.weight" : "embedding.weight")
        var bias =
            architecture.outputBias
            ? model.parameters.floats(model.slot("output.bias").range)
            : [Float](repeating: 0, count: architecture.vocabulary)
        for id in model.unsaid { bias[id] = Self.never }
        addComputed("decoder/projection/bias", bias, [bias.count])
        addStack("decoder", prefix, layers: architecture.decoderLayers, cross: cross, input: "")
    }

    /// What encoder and decoder have alike.
    private mutating func addStack(
        _ scope: String, _ prefix: String, layers: Int, cross: Bool, input: String
    ) {
        add("\(scope)/num_heads", .int16(Int16(architecture.heads)))
        add("\(scope)/pre_norm", .flag(architecture.norm != .post))
        add("\(scope)/activation", .int8(activation))
        add("\(scope)/scale_embeddings", .flag(true))
        addPositions(scope, input: input)
        for layer in 0..<layers {
            addLayer(
                "\(scope)/layer_\(layer)", "\(prefix)layers.\(layer).", cross: cross, input: input)
        }
        if architecture.norm != .none && architecture.finalNorm {
            addNorm("\(scope)/layer_norm", "\(prefix)norm")
        }
    }

    /// Rotary and relative positions belong to the layers; the engine then looks for no table.
    private mutating func addPositions(_ scope: String, input: String) {
        let name = "\(scope)/position_encodings/encodings"
        switch architecture.positionEncoding {
        case .learned: addVector(name, "\(input)positions.weight")
        case .sinusoidal, .none:
            addComputed(
                name, model.transformer.addedPositions,
                [architecture.positions, architecture.dModel])
        case .relative, .rotary: break
        }
    }

    private mutating func addLayer(_ scope: String, _ prefix: String, cross: Bool, input: String) {
        addSelfAttention("\(scope)/self_attention", "\(prefix)self_attn.", input: input)
        addLayerNorm("\(scope)/self_attention/layer_norm", "\(prefix)norm1")
        if cross {
            addCrossAttention("\(scope)/attention", "\(prefix)multihead_attn.")
            addLayerNorm("\(scope)/attention/layer_norm", "\(prefix)norm2")
        }
        addFeedForward("\(scope)/ffn", prefix)
        addLayerNorm("\(scope)/ffn/layer_norm", prefix + (cross ? "norm3" : "norm2"))
    }

    private mutating func addSelfAttention(_ scope: String, _ prefix: String, input: String) {
        // Where one matrix gives queries and keys, it is written for both.
        let d = architecture.dModel
        let rows = architecture.sharesQueryKey ? [0..<d, 0..<d, d..<2 * d] : [0..<3 * d]
        addLinear("\(scope)/linear_0", "\(prefix)in_proj_", rows: rows)
        addLinear("\(scope)/linear_1", "\(prefix)out_proj.", rows: [0..<d])
        switch architecture.positionEncoding {
        case .rotary:
            // 0: all columns of a head.
            add("\(scope)/rotary_dim", .int32(0))
            add("\(scope)/rotary_interleave", .flag(true))
            add("\(scope)/rotary_base", .float(10_000))
        case .relative:
            addComputed(
                "\(scope)/relative_attention_bias", transposed("\(input)relative.weight"),
                [RelativeBuckets.count, architecture.heads])
            add(
                "\(scope)/relative_attention_max_distance", .int32(Int32(RelativeBuckets.farthest)))
        case .sinusoidal, .learned, .none: break
        }
    }

    private mutating func addCrossAttention(_ scope: String, _ prefix: String) {
        let d = architecture.dModel
        addLinear("\(scope)/linear_0", "\(prefix)in_proj_", rows: [0..<d])
        addLinear(
            "\(scope)/linear_1", "\(prefix)in_proj_",
            rows: architecture.sharesQueryKey ? [0..<2 * d] : [d..<3 * d])
        addLinear("\(scope)/linear_2", "\(prefix)out_proj.", rows: [0..<d])
    }

    private mutating func addFeedForward(_ scope: String, _ prefix: String) {
        let (d, ff) = (architecture.dModel, architecture.dFF)
        addLinear("\(scope)/linear_0", "\(prefix)linear1.", rows: [0..<ff])
        if architecture.activation == .swiglu {
            addLinear("\(scope)/linear_0_noact", "\(prefix)linear1.", rows: [ff..<2 * ff])
        }
        addLinear("\(scope)/linear_1", "\(prefix)linear2.", rows: [0..<d])
    }

    private mutating func addLayerNorm(_ scope: String, _ prefix: String) {
        guard architecture.norm == .none else { return addNorm(scope, prefix) }
        let d = architecture.dModel
        addComputed("\(scope)/gamma", [Float](repeating: Self.idleGain, count: d), [d])
    }

    /// A norm without `beta` is an RMSNorm to the engine.
    private mutating func addNorm(_ scope: String, _ prefix: String) {
        addVector("\(scope)/gamma", "\(prefix).weight")
        if architecture.normalisation == .layer { addVector("\(scope)/beta", "\(prefix).bias") }
    }

    /// CTranslate2's number of the activation. Its GELU is that of the error function, as dtrain's.
    private var activation: Int8 {
        switch architecture.activation {
        case .relu: 0
        case .silu, .swiglu: 2
        case .gelu: 3
        case .tanh: 5
        case .sigmoid: 6
        }
    }

    // MARK: Variables

    private mutating func add(_ name: String, _ value: CTranslate2Variable.Value) {
        variables.append(CTranslate2Variable(name: name, value: value))
    }

    private mutating func addComputed(_ name: String, _ numbers: [Float], _ shape: [Int]) {
        add(name, .tensor(.computed(numbers), shape: shape, isMatrix: false))
    }

    private mutating func addVector(_ name: String, _ tensor: String) {
        let slot = model.slot(tensor)
        add(name, .tensor(.parameters([slot.range]), shape: slot.shape, isMatrix: false))
    }

    private mutating func addMatrix(_ name: String, _ tensor: String) {
        let slot = model.slot(tensor)
        add(name, .tensor(.parameters([slot.range]), shape: slot.shape, isMatrix: true))
    }

    /// Rows of a matrix and of the bias beside it.
    private mutating func addLinear(_ scope: String, _ prefix: String, rows: [Range<Int>]) {
        let (weight, bias) = (model.slot("\(prefix)weight"), model.slot("\(prefix)bias"))
        let columns = weight.shape[1]
        let count = rows.reduce(0) { $0 + $1.count }
        func stretches(_ slot: Slot, _ width: Int) -> CTranslate2Variable.Numbers {
            .parameters(
                rows.map {
                    slot.offset + $0.lowerBound * width..<slot.offset + $0.upperBound * width
                })
        }
        add(
            "\(scope)/weight",
            .tensor(stretches(weight, columns), shape: [count, columns], isMatrix: true))
        add("\(scope)/bias", .tensor(stretches(bias, 1), shape: [count], isMatrix: false))
    }

    private func transposed(_ tensor: String) -> [Float] {
        let slot = model.slot(tensor)
        let (rows, columns) = (slot.shape[0], slot.shape[1])
        let numbers = model.parameters.floats(slot.range)
        return (0..<rows * columns).map { numbers[$0 % rows * columns + $0 / rows] }
    }
}
