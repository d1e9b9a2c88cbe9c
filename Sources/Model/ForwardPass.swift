import Kernels
import Parameters

/// The network, forward only: the tape knows the way back.
struct ForwardPass {
    let model: Transformer
    let tape: Tape

    private var architecture: Architecture { model.architecture }

    /// Returns the decoder's last hidden states. Shapes: → [decoder tokens, d].
    func callAsFunction(_ input: ModelInput) -> Variable {
        let offsets = tape.arena.offsets(input.decoder.offsets)
        let memory = encode(input.source)
        let target = embed(input.decoder, offsets, model.target)
        return stack(
            target, model.decoder,
            Blocks(
                offsets: offsets, causal: true, memory: memory,
                relative: relative(model.target, causal: true)))
    }

    /// Returns the encoder's output, nil if the model has no encoder. Shapes: → [source tokens, d].
    func encode(_ source: Sequences) -> Memory? {
        guard let encoder = model.encoder, let input = model.source else { return nil }
        let offsets = tape.arena.offsets(source.offsets)
        let states = stack(
            embed(source, offsets, input), encoder,
            Blocks(
                offsets: offsets, causal: false, memory: nil,
                relative: relative(input, causal: false)))
        return Memory(states: states, offsets: offsets)
    }

    /// The encoder's output, which the decoder's cross-attention reads.
    struct Memory {
        let states: Variable
        let offsets: Offsets
    }

    private func embed(
        _ sequences: Sequences, _ offsets: Offsets, _ weights: InputWeights
    ) -> Variable {
        tape.embed(
            tape.arena.indices(sequences.ids), offsets, weights,
            vectors: model.encoding.vectors, scale: model.embeddingScale)
    }

    private func relative(_ weights: InputWeights, causal: Bool) -> RelativePositions? {
        let tables = model.encoding
        guard let weight = weights.relative,
            let buckets = causal ? tables.decoderBuckets : tables.encoderBuckets
        else { return nil }
        return RelativePositions(buckets: buckets, weight: weight)
    }

    /// Layers and the norm after them.
    private func stack(_ x: Variable, _ weights: StackWeights, _ blocks: Blocks) -> Variable {
        let isPre = architecture.norm == .pre
        var residual = Residual(stream: x, input: x)
        for (index, layer) in weights.layers.enumerated() {
            if index == 0 || !isPre { tape.record(.milestone(layer.offset)) }
            if index == 0 && isPre {
                residual = Residual(stream: x, input: tape.norm(x, layer.norms[0]))
            }
            let next = weights.layers.dropFirst(index + 1).first
            let following = Following(
                norm: next?.norms.first ?? weights.norm, offset: next?.offset ?? weights.end)
            residual = self.layer(residual, layer, following: following, blocks)
            tape.observe(residual.stream)
        }
        guard !isPre, let norm = weights.norm else { return residual.input }
        tape.record(.milestone(weights.end))
        return tape.norm(residual.stream, norm)
    }

    /// The residual stream, and the input of the next sub-layer. After a post-norm they are the
    /// same; before a pre-norm sub-layer the input is the stream's normalisation.
    struct Residual {
        let stream: Variable
        let input: Variable
    }

    struct Blocks {
        let offsets: Offsets
        let causal: Bool
        let memory: Memory?
        let relative: RelativePositions?
    }

    /// The norm that stands behind a pre-norm layer, and the offset at which the
    /// parameters of its owner begin.
    struct Following {
        let norm: NormWeights?
        let offset: Int
    }

    /// One layer; with pre-norm it ends in the norm that follows it.
    private func layer(
        _ start: Residual, _ weights: LayerWeights, following: Following, _ blocks: Blocks
    ) -> Residual {
        let isPre = architecture.norm == .pre
        // The norm of sub-layer i stands before it (pre) or after it (post).
        func norm(after subLayer: Int) -> NormWeights? {
            weights.norms.isEmpty ? nil : weights.norms[isPre ? subLayer + 1 : subLayer]
        }
        var residual = selfAttention(start, weights.attention, norm(after: 0), blocks)
        if let cross = weights.cross, let memory = blocks.memory {
            residual = crossAttention(residual, cross, norm(after: 1), blocks.offsets, memory)
        }
        let last = isPre ? following.norm : weights.norms.last
        return feedForward(residual, weights, last, milestone: isPre ? following.offset : nil)
    }

    private func selfAttention(
        _ residual: Residual, _ weights: SelfAttentionWeights, _ norm: NormWeights?,
        _ blocks: Blocks
    ) -> Residual {
        let (d, heads) = (architecture.dModel, architecture.heads)
        let shares = architecture.sharesQueryKey
        let projected = tape.linear(
            residual.input, weights.input.weight, bias: weights.input.bias)
        if let table = model.encoding.rotation {
            tape.rotate(
                projected, blocks.offsets, columns: shares ? d : 2 * d,
                heads: shares ? heads : 2 * heads, table: table)
        }
        let attention = Attention(
            queries: blocks.offsets, keys: blocks.offsets, heads: heads, causal: blocks.causal,
            sharesQueryKey: shares)
        let mixed = tape.attend(attention, projected, nil, d: d, bias: blocks.relative)
        return join(residual, mixed, weights.output, norm)
    }

    private func crossAttention(
        _ residual: Residual, _ weights: CrossAttentionWeights, _ norm: NormWeights?,
        _ offsets: Offsets, _ memory: Memory
    ) -> Residual {
        let query = tape.linear(
            residual.input, weights.query.weight, bias: weights.query.bias)
        let keyValue = tape.linear(
            memory.states, weights.keyValue.weight, bias: weights.keyValue.bias)
        let attention = Attention(
            queries: offsets, keys: memory.offsets, heads: architecture.heads, causal: false)
        let mixed = tape.attend(attention, query, keyValue, d: architecture.dModel)
        return join(residual, mixed, weights.output, norm)
    }

    private func feedForward(
        _ residual: Residual, _ weights: LayerWeights, _ norm: NormWeights?, milestone: Int?
    ) -> Residual {
        let hidden = tape.linear(residual.input, weights.first.weight)
        let active =
            architecture.activation.function.map {
                tape.activate(hidden, bias: weights.first.bias, $0)
            } ?? tape.gate(hidden, bias: weights.first.bias)
        return join(residual, active, weights.second, norm, milestone: milestone)
    }

    /// The sub-layer's last product, its residual connection, and the norm after it.
    private func join(
        _ residual: Residual, _ x: Variable, _ output: ProjectionWeights, _ norm: NormWeights?,
        milestone: Int? = nil
    ) -> Residual {
        let product = tape.linear(x, output.weight)
        // On the way back the norm below is the last use of what stands behind this layer.
        if let milestone { tape.record(.milestone(milestone)) }
        let isPre = architecture.norm == .pre
        if architecture.residual, case .layer(let gain, let shift) = norm {
            let (sum, normalised) = tape.residual(
                residual.stream, product, bias: output.bias, gain: gain, shift: shift)
            return Residual(stream: isPre ? sum : normalised, input: normalised)
        }
        let sum = tape.sum(
            architecture.residual ? residual.stream : nil, product, bias: output.bias)
        guard let norm else { return Residual(stream: sum, input: sum) }
        let normalised = tape.norm(sum, norm)
        return Residual(stream: isPre ? sum : normalised, input: normalised)
    }
}
