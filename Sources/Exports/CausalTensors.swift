import Model
import Parameters

/// The tensors of transformers' language models.
///
/// dtrain multiplies embeddings by √d, which these models do not: the factor goes into an input
/// matrix of its own, and the output keeps the matrix as it is.
enum CausalTensors {
    /// Those of `GPT2LMHeadModel`: positions are a table, matrices are transposed.
    static func gpt2(_ model: Transformer) -> [ForeignTensor] {
        let arranger = TensorArranger(model)
        let architecture = model.architecture
        let (query, key, value) = arranger.queryKeyValue
        let d = architecture.dModel
        var all = [
            arranger.matrix(
                "transformer.wte.weight", "embedding.weight", scale: model.embeddingScale)
        ]
        let table = [architecture.positions, d]
        all.append(
            architecture.positionEncoding == .learned
                ? arranger.matrix("transformer.wpe.weight", "positions.weight")
                : ForeignTensor(
                    name: "transformer.wpe.weight", shape: table,
                    content: .table(model.addedPositions)))
        func projection(_ name: String, _ slot: String, dot: String = ".", rows: [Int]? = nil) {
            all.append(
                arranger.matrix(
                    "\(name).weight", "\(slot)\(dot)weight", rows: rows, transposed: true))
            all.append(arranger.vector("\(name).bias", "\(slot)\(dot)bias", rows))
        }
        func norm(_ name: String, _ slot: String) {
            all.append(arranger.vector("\(name).weight", "\(slot).weight"))
            all.append(arranger.vector("\(name).bias", "\(slot).bias"))
        }
        for index in 0..<architecture.decoderLayers {
            let (layer, slot) = ("transformer.h.\(index)", "layers.\(index)")
            norm("\(layer).ln_1", "\(slot).norm1")
            projection(
                "\(layer).attn.c_attn", "\(slot).self_attn.in_proj", dot: "_",
                rows: query + key + value)
            projection("\(layer).attn.c_proj", "\(slot).self_attn.out_proj")
            norm("\(layer).ln_2", "\(slot).norm2")
            projection("\(layer).mlp.c_fc", "\(slot).linear1")
            projection("\(layer).mlp.c_proj", "\(slot).linear2")
        }
        norm("transformer.ln_f", "norm")
        return all + [output(arranger)]
    }

    /// Those of `LlamaForCausalLM`: it turns the halves of a head against each other, where dtrain
    /// turns neighbours.
    static func llama(_ model: Transformer) -> [ForeignTensor] {
        let arranger = TensorArranger(model)
        let architecture = model.architecture
        let (query, key, value) = arranger.queryKeyValue
        let width = architecture.dModel / architecture.heads
        let turned = (0..<architecture.heads).flatMap { head in
            [Int].interleaved(width).map { head * width + $0 }
        }
        var all = [
            arranger.matrix(
                "model.embed_tokens.weight", "embedding.weight", scale: model.embeddingScale)
        ]
        func projection(_ name: String, _ slot: String, dot: String = ".", rows: [Int]? = nil) {
            all.append(arranger.matrix("\(name).weight", "\(slot)\(dot)weight", rows: rows))
            all.append(arranger.vector("\(name).bias", "\(slot)\(dot)bias", rows))
        }
        for index in 0..<architecture.decoderLayers {
            let (layer, slot) = ("model.layers.\(index)", "layers.\(index)")
            all.append(
                arranger.vector("\(layer).input_layernorm.weight", "\(slot).norm1.weight"))
            let parts = [
                ("q", turned.map { query[$0] }), ("k", turned.map { key[$0] }), ("v", value),
            ]
            for (part, rows) in parts {
                projection(
                    "\(layer).self_attn.\(part)_proj", "\(slot).self_attn.in_proj", dot: "_",
                    rows: rows)
            }
            projection("\(layer).self_attn.o_proj", "\(slot).self_attn.out_proj")
            all.append(
                arranger.vector(
                    "\(layer).post_attention_layernorm.weight", "\(slot).norm2.weight"))
            let inner = architecture.dFF
            projection("\(layer).mlp.gate_proj", "\(slot).linear1", rows: Array(0..<inner))
            projection("\(layer).mlp.up_proj", "\(slot).linear1", rows: Array(inner..<2 * inner))
            projection("\(layer).mlp.down_proj", "\(slot).linear2")
        }
        all.append(arranger.vector("model.norm.weight", "norm.weight"))
        return all + [output(arranger)]
    }

    private static func output(_ arranger: TensorArranger) -> ForeignTensor {
        let isTied = arranger.model.architecture.tying != .none
        return arranger.matrix("lm_head.weight", isTied ? "embedding.weight" : "output.weight")
    }
}
