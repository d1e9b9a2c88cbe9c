import Kernels
import Parameters

/// A matrix (or, with one row, a vector) inside the flat parameters.
///
/// Usually a whole slot; cross-attention reads the rows of `in_proj` that give queries and those that
/// give keys and values apart. `part` numbers all of them; rows that lie in each other bear one number.
struct Weight: Sendable {
    let offset: Int
    let rows: Int
    let columns: Int
    let part: Int

    var end: Int { offset + rows * columns }
}

/// The weights of a norm, by its kind.
enum NormWeights: Sendable {
    case layer(gain: Weight, bias: Weight)
    case rms(gain: Weight)
    /// `place` is where the running mean lies behind the trainable parameters, the variance after it.
    case batch(gain: Weight, bias: Weight, place: Int)
}

struct ProjectionWeights: Sendable {
    let weight, bias: Weight
}

struct SelfAttentionWeights: Sendable {
    /// Rows for q, k and v, or with a shared matrix for q = k and v.
    let input, output: ProjectionWeights
}

struct CrossAttentionWeights: Sendable {
    /// Rows for q; rows for k and v. With a shared matrix those for q are those for k.
    let query, keyValue, output: ProjectionWeights
}

struct LayerWeights: Sendable {
    /// The range of the layer's parameters.
    let range: Range<Int>
    let attention: SelfAttentionWeights
    /// The weights of cross-attention; only in the decoder of an encoder-decoder.
    let cross: CrossAttentionWeights?
    let first, second: ProjectionWeights
    /// The norms, one a sub-layer, in their order; none where there are no norms.
    let norms: [NormWeights]

    var offset: Int { range.lowerBound }
}

struct StackWeights: Sendable {
    let layers: [LayerWeights]
    let norm: NormWeights?
    /// The end of the layers' parameters.
    let end: Int
}

/// The weights that turn ids into the first layer's input.
struct InputWeights: Sendable {
    let embedding: Weight
    /// The learned positions: [positions, d].
    let positions: Weight?
    /// The relative positions, of which every layer's self-attention makes use: [heads, buckets].
    let relative: Weight?
}

/// Lays out the parameters in the order in which the forward pass uses them. So the backward pass
/// finishes the flat gradient from its end to its beginning.
struct WeightPlan {
    private(set) var tensors: [(name: String, shape: [Int])] = []
    /// Running means and variances, which lie behind all `tensors`.
    private(set) var statistics: [(name: String, shape: [Int])] = []
    private(set) var parts = 0
    private var offset = 0
    private var statisticsCount = 0
    private let architecture: Architecture

    init(_ architecture: Architecture) { self.architecture = architecture }

    /// Lays out an input; with `embedding` that of another input is used here too.
    mutating func input(_ prefix: String, embedding shared: Weight? = nil) -> InputWeights {
        let encoding = architecture.positionEncoding
        let embedding = shared ?? self.embedding(prefix)
        let positions =
            encoding == .learned
            ? matrix("\(prefix)positions.weight", architecture.positions, architecture.dModel) : nil
        let relative =
            encoding == .relative
            ? matrix("\(prefix)relative.weight", architecture.heads, RelativeBuckets.count) : nil
        return InputWeights(embedding: embedding, positions: positions, relative: relative)
    }

    mutating func embedding(_ prefix: String) -> Weight {
        matrix("\(prefix)embedding.weight", architecture.vocabulary, architecture.dModel)
    }

    mutating func output() -> Weight {
        matrix("output.weight", architecture.vocabulary, architecture.dModel)
    }

    mutating func outputBias() -> Weight { vector("output.bias", architecture.vocabulary) }

    mutating func stack(_ prefix: String, _ count: Int, cross: Bool) -> StackWeights {
        let layers = (0..<count).map { layer("\(prefix)layers.\($0).", cross: cross) }
        let end = offset
        let hasNorm = architecture.norm != .none && architecture.finalNorm
        let norm = hasNorm ? self.norm("\(prefix)norm") : nil
        return StackWeights(layers: layers, norm: norm, end: end)
    }

    private mutating func layer(_ prefix: String, cross: Bool) -> LayerWeights {
        let (d, ff) = (architecture.dModel, architecture.dFF)
        let start = offset
        let attention = SelfAttentionWeights(
            input: projection(
                "\(prefix)self_attn.in_proj_", (architecture.sharesQueryKey ? 2 : 3) * d, d),
            output: projection("\(prefix)self_attn.out_proj.", d, d))
        let second = cross ? crossAttention("\(prefix)multihead_attn.") : nil
        let width = architecture.activation.isGated ? 2 * ff : ff
        let first = projection("\(prefix)linear1.", width, d)
        let last = projection("\(prefix)linear2.", d, ff)
        let count = architecture.norm == .none ? 0 : cross ? 3 : 2
        let norms = (0..<count).map { norm("\(prefix)norm\($0 + 1)") }
        return LayerWeights(
            range: start..<offset, attention: attention, cross: second, first: first, second: last,
            norms: norms)
    }

    private mutating func crossAttention(_ prefix: String) -> CrossAttentionWeights {
        let d = architecture.dModel
        let shares = architecture.sharesQueryKey
        let input = projection("\(prefix)in_proj_", (shares ? 2 : 3) * d, d)
        let query = rows(input, 0..<d, part: parts)
        // On the way back keys and values come first and leave something in all rows that queries share.
        let keyValue = rows(input, shares ? 0..<2 * d : d..<3 * d, part: shares ? parts : parts + 2)
        parts += 4
        return CrossAttentionWeights(
            query: query, keyValue: keyValue, output: projection("\(prefix)out_proj.", d, d))
    }

    private func rows(
        _ whole: ProjectionWeights, _ range: Range<Int>, part: Int
    ) -> ProjectionWeights {
        let (weight, bias) = (whole.weight, whole.bias)
        let matrix = Weight(
            offset: weight.offset + range.lowerBound * weight.columns, rows: range.count,
            columns: weight.columns, part: part)
        let vector = Weight(
            offset: bias.offset + range.lowerBound, rows: 1, columns: range.count, part: part + 1)
        return ProjectionWeights(weight: matrix, bias: vector)
    }

    private mutating func projection(_ name: String, _ out: Int, _ d: Int) -> ProjectionWeights {
        ProjectionWeights(weight: matrix("\(name)weight", out, d), bias: vector("\(name)bias", out))
    }

    private mutating func norm(_ name: String) -> NormWeights {
        let d = architecture.dModel
        let gain = vector("\(name).weight", d)
        switch architecture.normalisation {
        case .layer: return .layer(gain: gain, bias: vector("\(name).bias", d))
        case .rms: return .rms(gain: gain)
        case .batch:
            defer { statisticsCount += 2 * d }
            statistics.append(("\(name).running_mean", [d]))
            statistics.append(("\(name).running_var", [d]))
            return .batch(
                gain: gain, bias: vector("\(name).bias", d), place: statisticsCount)
        }
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
    /// Returns the weight's elements in this vector, in place.
    func matrix(_ weight: Weight, copies: RoundedVector? = nil) -> Matrix {
        precondition(weight.end <= count && copies?.count ?? count == count)
        return Matrix(
            base: unsafeAddress + weight.offset, rows: weight.rows, columns: weight.columns,
            copies: copies.map { UnsafePointer($0.unsafeAddress + weight.offset) })
    }

    /// Returns running mean and variance, or a shard's share of them, in place.
    /// Shapes: [1, columns] each.
    func statistics(at offset: Int, columns: Int) -> (mean: Matrix, variance: Matrix) {
        precondition(offset + 2 * columns <= count, "\(offset) + 2·\(columns) of \(count)")
        let base = unsafeAddress + offset
        return (
            Matrix(base: base, rows: 1, columns: columns),
            Matrix(base: base + columns, rows: 1, columns: columns)
        )
    }
}
