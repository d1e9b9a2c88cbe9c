import Kernels
import Parameters

/// A decoder that is fed one token of each hypothesis at a time and remembers the rest.
///
/// The same layers as in training, without dropout and tape; a step costs one row a hypothesis,
/// since keys and values of earlier tokens are cached.
final class IncrementalDecoder {
    private let model: Transformer
    private let parameters: ParameterVector
    private var cache: DecodingCache
    /// The keys and values of the encoder's output, for each layer: [source tokens, 2d].
    private var memories: [ParameterVector] = []
    private let memoryOffsets: [Int]
    private let arena = Arena()
    private let multiplier: Multiplier

    /// Shapes: `memory` [source tokens, d], the encoder's output; `offsets` cut it into sources.
    /// A language model has none.
    init(
        _ model: Transformer, parameters: ParameterVector, memory: Matrix?, offsets: [Int],
        hypotheses: Int
    ) {
        self.model = model
        self.parameters = parameters
        multiplier = Multiplier(precision: model.precision)
        cache = DecodingCache(
            layers: model.decoder.layers.count, width: model.architecture.dModel,
            capacity: 16 * hypotheses)
        memoryOffsets = offsets
        if let memory { remember(memory) }
    }

    private var architecture: Architecture { model.architecture }
    private var isPre: Bool { architecture.norm == .pre }

    /// Keys and values of cross-attention, which are the same at every step.
    private func remember(_ states: Matrix) {
        memories = model.decoder.layers.map { layer in
            let vector = ParameterVector(count: 2 * states.columns * states.rows)
            if let cross = layer.cross { apply(cross.keyValue, to: states, into: memory(vector)) }
            return vector
        }
    }

    private func memory(_ vector: ParameterVector) -> Matrix {
        let width = 2 * model.architecture.dModel
        return Matrix(base: vector.unsafeAddress, rows: vector.count / width, columns: width)
    }

    /// y ← x·Wᵀ + b. Shapes: x [n, in], y [n, out].
    private func apply(_ projection: ProjectionWeights, to x: Matrix, into y: Matrix) {
        multiplier.timesTransposed(
            x, parameters.matrix(projection.weight), into: y,
            bias: parameters.matrix(projection.bias))
    }

    /// Feeds a token to each hypothesis and returns the logits of the tokens that follow.
    ///
    /// `sources[i]` is the source that hypothesis i translates. The result lasts until the next
    /// step. Shapes: n tokens, n sources, n hypotheses → [n, vocabulary].
    func step(_ tokens: [Int32], sources: [Int], _ hypotheses: inout [Hypothesis]) -> Matrix {
        precondition(tokens.count == hypotheses.count && sources.count == tokens.count)
        arena.reset()
        let start = cache.append(to: &hypotheses)
        let own = pick(hypotheses.map { $0.path })
        let foreign = memories.isEmpty ? nil : pick(sources.map(memoryRows))
        let decoder = model.decoder
        var stream = embed(tokens, hypotheses)
        if isPre { stream = normalise(stream.sum, decoder.layers[0].norms[0]) }
        for (index, layer) in decoder.layers.enumerated() {
            var norms = norms(after: index)
            let mixed = attendToSelf(stream.normal, index, layer.attention, start: start, own)
            stream = join(stream, mixed, layer.attention.output, norms.removeFirst())
            if let cross = layer.cross, let foreign {
                let mixed = attendToMemory(stream.normal, index, cross, foreign)
                stream = join(stream, mixed, cross.output, norms.removeFirst())
            }
            let hidden = feedForward(stream.normal, layer.first)
            stream = join(stream, hidden, layer.second, norms.removeFirst())
        }
        if !isPre { stream = normalise(stream.sum, decoder.norm) }
        let table = parameters.matrix(model.output)
        let logits = arena.matrix(tokens.count, table.rows)
        multiplier.timesTransposed(
            stream.normal, table, into: logits,
            bias: model.outputBias.map { parameters.matrix($0) })
        return logits
    }

    /// The norm that follows each sum of a layer: this sub-layer's (post) or the next one's (pre).
    private func norms(after index: Int) -> [NormWeights?] {
        let layers = model.decoder.layers
        let own = layers[index].norms.map { Optional($0) }
        guard isPre else { return architecture.norm == .none ? [nil, nil, nil] : own }
        return own.dropFirst() + [layers.dropFirst(index + 1).first?.norms[0] ?? model.decoder.norm]
    }

    private func memoryRows(_ source: Int) -> [Int32] {
        (memoryOffsets[source]..<memoryOffsets[source + 1]).map(Int32.init)
    }

    private typealias Picked = (rows: [Int32], offsets: [Int])

    private func pick(_ lists: [[Int32]]) -> Picked {
        let offsets = lists.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
        return (lists.flatMap { $0 }, offsets)
    }

    private func embed(_ tokens: [Int32], _ hypotheses: [Hypothesis]) -> Stream {
        let table = parameters.matrix(model.target.embedding)
        let vectors =
            model.target.positions.map { parameters.matrix($0) } ?? model.encoding.vectors
        let result = arena.matrix(tokens.count, table.columns)
        let single = arena.offsets([0, 1])
        for (index, token) in tokens.enumerated() {
            let place = hypotheses[index].path.count - 1
            Embedding.forward(
                arena.indices([token]), single, table: table,
                positions: vectors.rows(place..<place + 1),
                scale: model.embeddingScale, mask: nil, into: result.rows(index..<index + 1))
        }
        return Stream(sum: result, normal: result)
    }

    private func attendToSelf(
        _ input: Matrix, _ layer: Int, _ weights: SelfAttentionWeights, start: Int,
        _ picked: Picked
    ) -> Matrix {
        let width = input.columns
        let all = arena.matrix(input.rows, weights.input.weight.rows)
        apply(weights.input, to: input, into: all)
        if let table = model.encoding.rotation {
            let columns = all.columns - width
            for row in 0..<all.rows {
                Rotation.turn(
                    all.rows(row..<row + 1).columns(0..<columns),
                    heads: columns / table.columns, table: table,
                    position: picked.offsets[row + 1] - picked.offsets[row] - 1, inverse: false)
            }
        }
        let operand = AttentionStep.split(all, nil, d: width)
        let rows = start..<start + input.rows
        let (keys, values) = (cache.keys(layer), cache.values(layer))
        keys.rows(rows).copy(from: operand.k)
        values.rows(rows).copy(from: operand.v)
        let result = arena.matrix(input.rows, width)
        let bias = model.target.relative.flatMap { weight in
            model.encoding.decoderBuckets.map {
                RelativeBias(buckets: $0, table: parameters.matrix(weight))
            }
        }
        attend(
            queries: operand.q, keys: keys, values: values, rows: picked.rows,
            offsets: picked.offsets, heads: architecture.heads, bias: bias, into: result)
        return result
    }

    private func attendToMemory(
        _ input: Matrix, _ layer: Int, _ weights: CrossAttentionWeights, _ picked: Picked
    ) -> Matrix {
        let width = input.columns
        let queries = arena.matrix(input.rows, width)
        apply(weights.query, to: input, into: queries)
        let both = memory(memories[layer])
        let result = arena.matrix(input.rows, width)
        attend(
            queries: queries, keys: both.columns(0..<width),
            values: both.columns(width..<2 * width), rows: picked.rows, offsets: picked.offsets,
            heads: architecture.heads, into: result)
        return result
    }

    private func feedForward(_ input: Matrix, _ first: ProjectionWeights) -> Matrix {
        let (weight, bias) = (parameters.matrix(first.weight), parameters.matrix(first.bias))
        let hidden = arena.matrix(input.rows, weight.rows)
        multiplier.timesTransposed(input, weight, into: hidden)
        let result = arena.matrix(input.rows, architecture.dFF)
        if let function = architecture.activation.function {
            function.forward(hidden, bias: bias, mask: nil, into: result, keepSlope: false)
        } else {
            GatedActivation.forward(
                hidden, bias: bias, mask: nil, into: result, keepSlope: false)
        }
        return result
    }

    // MARK: The residual stream

    /// The sum of what the sub-layers gave, and its normalisation, which the next one reads.
    private struct Stream {
        let sum, normal: Matrix
    }

    private func normalise(_ sum: Matrix, _ norm: NormWeights?) -> Stream {
        guard let norm else { return Stream(sum: sum, normal: sum) }
        let result = arena.matrix(sum.rows, sum.columns)
        switch norm {
        case .layer(let gain, let bias):
            Normalisation.forward(
                sum, gain: parameters.matrix(gain), bias: parameters.matrix(bias),
                into: result, statistics: arena.matrix(sum.rows, 2))
        case .rms(let gain):
            RootMeanSquare.forward(
                sum, gain: parameters.matrix(gain), into: result,
                inverse: arena.matrix(sum.rows, 1))
        case .batch(let gain, let bias, let place):
            let (mean, variance) = parameters.statistics(
                at: model.layout.trainable + place, columns: sum.columns)
            let inverse = arena.matrix(1, sum.columns)
            BatchNormalisation.inverse(of: variance, into: inverse)
            BatchNormalisation.forward(
                sum, mean: mean, inverse: inverse, gain: parameters.matrix(gain),
                bias: parameters.matrix(bias), into: result)
        }
        return Stream(sum: sum, normal: result)
    }

    /// A sub-layer's last product, its residual connection and the norm that follows.
    private func join(
        _ stream: Stream, _ inner: Matrix, _ output: ProjectionWeights, _ norm: NormWeights?
    ) -> Stream {
        let added = arena.matrix(stream.sum.rows, stream.sum.columns)
        multiplier.timesTransposed(inner, parameters.matrix(output.weight), into: added)
        let sum = arena.matrix(stream.sum.rows, stream.sum.columns)
        addBias(added, parameters.matrix(output.bias), mask: nil, into: sum)
        if architecture.residual { add(stream.sum, into: sum, accumulate: true) }
        let next = normalise(sum, norm)
        return Stream(sum: isPre ? next.sum : next.normal, normal: next.normal)
    }
}
