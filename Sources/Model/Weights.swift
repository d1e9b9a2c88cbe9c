import Kernels
import Parameters

/// A matrix (or, with one row, a vector) inside the flat parameters.
///
/// Usually a whole slot; cross-attention reads the rows of `in_proj` that give queries and those that
/// give keys and values apart. `part` numbers all of them.
struct Weight: Sendable {
    let offset: Int
    let rows: Int
    let columns: Int
    let part: Int
}

struct NormWeights: Sendable {
    let gain, bias: Weight
}

struct ProjectionWeights: Sendable {
    let weight, bias: Weight
}

struct SelfAttentionWeights: Sendable {
    /// Rows for q, k and v.
    let input, output: ProjectionWeights
}

struct CrossAttentionWeights: Sendable {
    let query, keyValue, output: ProjectionWeights
}

struct LayerWeights: Sendable {
    /// Where the layer's parameters begin.
    let offset: Int
    let attention: SelfAttentionWeights
    /// Only in the decoder of an encoder-decoder.
    let cross: CrossAttentionWeights?
    let first, second: ProjectionWeights
    /// One a sub-layer, in their order.
    let norms: [NormWeights]
}

struct StackWeights: Sendable {
    let layers: [LayerWeights]
    let norm: NormWeights
}

/// Lays out the parameters in the order in which the forward pass uses them, so that the
/// backward pass finishes the flat gradient from its end to its beginning.
struct WeightPlan {
    private(set) var tensors: [(name: String, shape: [Int])] = []
    private(set) var parts = 0
    private var offset = 0

    mutating func embedding(_ architecture: Architecture) -> Weight {
        matrix("embedding.weight", architecture.vocabulary, architecture.dModel)
    }

    mutating func stack(
        _ prefix: String, _ count: Int, _ architecture: Architecture, cross: Bool
    ) -> StackWeights {
        let layers = (0..<count).map { layer("\(prefix)layers.\($0).", architecture, cross: cross) }
        return StackWeights(layers: layers, norm: norm("\(prefix)norm", architecture.dModel))
    }

    private mutating func layer(
        _ prefix: String, _ architecture: Architecture, cross: Bool
    ) -> LayerWeights {
        let (d, ff) = (architecture.dModel, architecture.dFF)
        let start = offset
        let attention = SelfAttentionWeights(
            input: projection("\(prefix)self_attn.in_proj_", 3 * d, d),
            output: projection("\(prefix)self_attn.out_proj.", d, d))
        let second = cross ? crossAttention("\(prefix)multihead_attn.", d) : nil
        return LayerWeights(
            offset: start, attention: attention, cross: second,
            first: projection("\(prefix)linear1.", ff, d),
            second: projection("\(prefix)linear2.", d, ff),
            norms: (1...(cross ? 3 : 2)).map { norm("\(prefix)norm\($0)", d) })
    }

    private mutating func crossAttention(_ prefix: String, _ d: Int) -> CrossAttentionWeights {
        let input = projection("\(prefix)in_proj_", 3 * d, d)
        return CrossAttentionWeights(
            query: rows(input, 0..<d), keyValue: rows(input, d..<3 * d),
            output: projection("\(prefix)out_proj.", d, d))
    }

    private mutating func rows(
        _ whole: ProjectionWeights, _ range: Range<Int>
    ) -> ProjectionWeights {
        let (weight, bias) = (whole.weight, whole.bias)
        let matrix = Weight(
            offset: weight.offset + range.lowerBound * weight.columns, rows: range.count,
            columns: weight.columns, part: parts)
        let vector = Weight(
            offset: bias.offset + range.lowerBound, rows: 1, columns: range.count, part: parts + 1)
        parts += 2
        return ProjectionWeights(weight: matrix, bias: vector)
    }

    private mutating func projection(_ name: String, _ out: Int, _ d: Int) -> ProjectionWeights {
        ProjectionWeights(weight: matrix("\(name)weight", out, d), bias: vector("\(name)bias", out))
    }

    private mutating func norm(_ name: String, _ d: Int) -> NormWeights {
        NormWeights(gain: vector("\(name).weight", d), bias: vector("\(name).bias", d))
    }

    private mutating func matrix(_ name: String, _ rows: Int, _ columns: Int) -> Weight {
        slot(name, [rows, columns], rows, columns)
    }

    private mutating func vector(_ name: String, _ count: Int) -> Weight {
        slot(name, [count], 1, count)
    }

    private mutating func slot(
        _ name: String, _ shape: [Int], _ rows: Int, _ columns: Int
    ) -> Weight {
        defer {
            tensors.append((name, shape))
            offset += rows * columns
            parts += 1
        }
        return Weight(offset: offset, rows: rows, columns: columns, part: parts)
    }
}

extension ParameterVector {
    /// The weight's elements in this vector, in place.
    func matrix(_ weight: Weight) -> Matrix {
        precondition(weight.offset + weight.rows * weight.columns <= count)
        return Matrix(
            base: unsafeAddress + weight.offset, rows: weight.rows, columns: weight.columns)
    }
}
