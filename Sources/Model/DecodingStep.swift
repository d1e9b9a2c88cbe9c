import Kernels
import Parameters

/// A decoder that is fed one token of each hypothesis at a time and remembers the rest.
///
/// The same layers as in training, without dropout and tape; a step costs one row a hypothesis,
/// since keys and values of earlier tokens are cached.
final class IncrementalDecoder {
    private let model: Transformer
    private let weights: DecoderWeights
    private var cache: DecodingCache
    private let arena = Arena()
    private let multiplier: Multiplier

    /// Makes room for so many hypotheses; there may be more.
    init(_ model: Transformer, _ weights: DecoderWeights, hypotheses: Int) {
        self.model = model
        self.weights = weights
        multiplier = Multiplier(precision: model.precision)
        cache = DecodingCache(
            layers: model.decoder.layers.count, width: model.architecture.dModel,
            capacity: 32 * hypotheses)
    }

    private var architecture: Architecture { model.architecture }
    private var parameters: ParameterVector { weights.parameters }
    private var isPre: Bool { architecture.norm == .pre }

    /// Returns the keys and values of cross-attention for each source, which are the same at every step.
    ///
    /// Shapes: `states` [source tokens, d], the encoder's output; `offsets` cut it into sources.
    func memories(of states: Matrix, offsets: [Int]) -> [SourceMemory] {
        arena.reset()
        let layers = model.decoder.layers.compactMap { $0.cross }.map { cross in
            let both = arena.matrix(states.rows, 2 * states.columns)
            multiplier.timesTransposed(
                states, parameters.matrix(cross.keyValue.weight), into: both,
                bias: parameters.matrix(cross.keyValue.bias))
            return both
        }
        return zip(offsets, offsets.dropFirst()).map { start, end in
            SourceMemory(layers.map { $0.rows(start..<end) })
        }
    }

    /// y ← x·Wᵀ + b. Shapes: x [n, in], y [n, out].
    private func apply(
        _ projection: DecoderWeights.Projection, to x: Matrix, into y: Matrix
    ) {
        multiplier.timesTransposed(x, projection.weight, into: y, bias: projection.bias)
    }

    /// Feeds a token to each hypothesis and returns the logits of the tokens that follow.
    ///
    /// `sources[i]` is what hypothesis i translates; a language model has none. The result lasts until the
    /// next step. Shapes: n tokens, n sources, n hypotheses → [n, vocabulary].
    func step(
        _ tokens: [Int32], sources: [SourceMemory], _ hypotheses: inout [Hypothesis]
    ) -> Matrix {
        precondition(tokens.count == hypotheses.count)
        precondition(sources.count == (model.encoder == nil ? 0 : tokens.count))
        arena.reset()
        let start = cache.append(to: &hypotheses)
        let own = pick(hypotheses)
        let decoder = model.decoder
        var stream = embed(tokens, hypotheses)
        if isPre { stream = normalise(stream.sum, decoder.layers[0].norms[0]) }
        for (index, layer) in decoder.layers.enumerated() {
            let packed = weights.layers[index]
            var norms = norms(after: index)
            let mixed = attendToSelf(stream.normal, index, packed, start: start, own)
            stream = join(stream, mixed, packed.mixed, norms.removeFirst())
            if let query = packed.query, let output = packed.cross {
                let mixed = attend(stream.normal, index, query, to: sources)
                stream = join(stream, mixed, output, norms.removeFirst())
            }
            let hidden = feedForward(stream.normal, layer.first, packed.first)
            stream = join(stream, hidden, packed.second, norms.removeFirst())
        }
        if !isPre { stream = normalise(stream.sum, decoder.norm) }
        let logits = arena.matrix(tokens.count, weights.output.matrix.rows)
        multiplier.timesTransposed(
            stream.normal, weights.output, into: logits,
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

    private typealias Picked = (rows: [Int32], offsets: [Int])

    /// The rows of the cache of each hypothesis, one after the other.
    private func pick(_ hypotheses: [Hypothesis]) -> Picked {
        var picked: Picked = ([], [0])
        picked.rows.reserveCapacity(hypotheses.reduce(0) { $0 + $1.path.count })
        picked.offsets.reserveCapacity(hypotheses.count + 1)
        for hypothesis in hypotheses {
            picked.rows += hypothesis.path
            picked.offsets.append(picked.rows.count)
        }
        return picked
    }

    private func embed(_ tokens: [Int32], _ hypotheses: [Hypothesis]) -> Stream {
        let table = parameters.matrix(model.target.embedding)
        let vectors =
            model.target.positions.map { parameters.matrix($0) } ?? model.encoding.vectors
        let result = arena.matrix(tokens.count, table.columns)
        Embedding.forward(
            tokens, at: hypotheses.map { $0.path.count - 1 }, table: table, positions: vectors,
            scale: model.embeddingScale, into: result)
        return Stream(sum: result, normal: result)
    }

    private func attendToSelf(
        _ input: Matrix, _ layer: Int, _ packed: DecoderWeights.Layer, start: Int,
        _ picked: Picked
    ) -> Matrix {
        let width = input.columns
        let all = arena.matrix(input.rows, packed.input.weight.matrix.rows)
        apply(packed.input, to: input, into: all)
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
        Kernels.attend(
            queries: operand.q, keys: keys, values: values, rows: picked.rows,
            offsets: picked.offsets, heads: architecture.heads, bias: bias, into: result)
        return result
    }

    private func attend(
        _ input: Matrix, _ layer: Int, _ query: DecoderWeights.Projection,
        to sources: [SourceMemory]
    ) -> Matrix {
        let queries = arena.matrix(input.rows, input.columns)
        apply(query, to: input, into: queries)
        let result = arena.matrix(input.rows, input.columns)
        Kernels.attend(
            queries: queries, to: sources, layer: layer, heads: architecture.heads, into: result)
        return result
    }

    private func feedForward(
        _ input: Matrix, _ first: ProjectionWeights, _ packed: DecoderWeights.Projection
    ) -> Matrix {
        let bias = parameters.matrix(first.bias)
        let hidden = arena.matrix(input.rows, first.weight.rows)
        multiplier.timesTransposed(input, packed.weight, into: hidden)
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
        _ stream: Stream, _ inner: Matrix, _ output: DecoderWeights.Projection, _ norm: NormWeights?
    ) -> Stream {
        let added = arena.matrix(stream.sum.rows, stream.sum.columns)
        multiplier.timesTransposed(inner, output.weight, into: added)
        let sum = arena.matrix(stream.sum.rows, stream.sum.columns)
        addBias(added, output.bias, mask: nil, into: sum)
        if architecture.residual { add(stream.sum, into: sum, accumulate: true) }
        let next = normalise(sum, norm)
        return Stream(sum: isPre ? next.sum : next.normal, normal: next.normal)
    }
}
