import Model

/// The tensors of transformers' `MarianMTModel`.
///
/// The sines of its positions stand before the cosines, where dtrain's take turns. So everything that
/// is added to the embeddings or read from their sum has its columns in that order.
struct MarianTensors {
    /// The tensors, in the order of dtrain's layout.
    let all: [ForeignTensor]
    /// The positions, which transformers computes itself.
    let positions: [Float]

    /// - Parameter ids: dtrain's id of each of Marian's.
    init(_ model: Transformer, ids: [Int]) {
        let arranger = TensorArranger(model)
        let d = model.architecture.dModel
        let stream = [Int].interleaved(d)
        var all: [ForeignTensor] = []
        func projection(
            _ name: String, _ slot: String, dot: String = ".", rows: [Int], columns: [Int]? = nil
        ) {
            all.append(
                arranger.matrix(
                    "\(name).weight", "\(slot)\(dot)weight", rows: rows, columns: columns))
            all.append(arranger.vector("\(name).bias", "\(slot)\(dot)bias", rows))
        }
        func attention(_ name: String, _ slot: String) {
            let (query, key, value) = arranger.queryKeyValue
            for (part, rows) in [("q", query), ("k", key), ("v", value)] {
                projection(
                    "\(name).\(part)_proj", "\(slot).in_proj", dot: "_", rows: rows,
                    columns: stream)
            }
            projection("\(name).out_proj", "\(slot).out_proj", rows: stream)
        }
        func norm(_ name: String, _ slot: String) {
            all.append(arranger.vector("\(name).weight", "\(slot).weight", stream))
            all.append(arranger.vector("\(name).bias", "\(slot).bias", stream))
        }
        func stack(_ name: String, layers: Int, cross: Bool) {
            for index in 0..<layers {
                let (layer, slot) = ("model.\(name).layers.\(index)", "\(name).layers.\(index)")
                attention("\(layer).self_attn", "\(slot).self_attn")
                norm("\(layer).self_attn_layer_norm", "\(slot).norm1")
                if cross {
                    attention("\(layer).encoder_attn", "\(slot).multihead_attn")
                    norm("\(layer).encoder_attn_layer_norm", "\(slot).norm2")
                }
                projection(
                    "\(layer).fc1", "\(slot).linear1", rows: Array(0..<model.architecture.dFF),
                    columns: stream)
                projection("\(layer).fc2", "\(slot).linear2", rows: stream)
                norm("\(layer).final_layer_norm", "\(slot).norm\(cross ? 3 : 2)")
            }
        }
        func table(_ name: String, _ slot: String) {
            all.append(arranger.matrix(name, slot, rows: ids, columns: stream))
        }
        switch model.architecture.tying {
        case .all: table(Self.shared, "embedding.weight")
        case .decoder, .none:
            table(Self.encoder, "source_embedding.weight")
            table(Self.decoder, "embedding.weight")
        }
        stack("encoder", layers: model.architecture.encoderLayers, cross: false)
        stack("decoder", layers: model.architecture.decoderLayers, cross: true)
        if model.architecture.tying == .none { table(Self.output, "output.weight") }
        let shape = [1, ids.count]
        all.append(
            model.architecture.outputBias
                ? arranger.vector(Self.bias, "output.bias", ids, shape: shape)
                : ForeignTensor(
                    name: Self.bias, shape: shape,
                    content: .table(Array(repeating: 0, count: ids.count))))
        self.all = all
        let own = model.addedPositions
        positions = stride(from: 0, to: own.count, by: d).flatMap { row in
            stream.map { own[row + $0] }
        }
    }

    static let shared = "model.shared.weight"
    static let encoder = "model.encoder.embed_tokens.weight"
    static let decoder = "model.decoder.embed_tokens.weight"
    static let output = "lm_head.weight"
    static let bias = "final_logits_bias"
    static let positionNames = [
        "model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight",
    ]

    /// Names under which a file may hold a matrix once more, or instead.
    static func aliases(of name: String, _ tying: Architecture.Tying) -> [String] {
        switch (tying, name) {
        case (.all, shared): [encoder, decoder, output]
        case (.decoder, decoder): [output]
        default: []
        }
    }
}
