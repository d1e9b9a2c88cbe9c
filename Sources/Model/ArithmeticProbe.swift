import Kernels
import Parameters

/// Digest of what this machine's arithmetic makes of a fixed problem: every primitive, every choice of an
/// architecture and every precision, at odd shapes and with dropout.
///
/// Workers whose digests differ cannot train together: their gradients would differ in the last bits.
package func arithmeticProbe() -> FastDigest {
    let usual = Architecture(
        kind: .encoderDecoder, norm: .pre, activation: .relu, dModel: 76, encoderLayers: 1,
        decoderLayers: 2, dFF: 147, heads: 2, vocabulary: 311, positions: 64, dropout: 0.1)
    let changes: [(inout Architecture) -> Void] = [
        { $0.heads = 4 },
        { ($0.norm, $0.activation, $0.positionEncoding) = (.post, .gelu, .learned) },
        { ($0.kind, $0.activation, $0.attentionDropout) = (.languageModel, .silu, 0.3) },
        { ($0.normalisation, $0.activation, $0.positionEncoding) = (.rms, .swiglu, .rotary) },
        { ($0.normalisation, $0.activation, $0.positionEncoding) = (.batch, .tanh, .relative) },
        { ($0.sharesQueryKey, $0.activation, $0.tying) = (true, .sigmoid, .none) },
        { ($0.norm, $0.residual, $0.tying) = (.none, false, .decoder) },
    ]
    return FastDigest(
        combining: changes.map { change in
            var architecture = usual
            change(&architecture)
            return probe(architecture, .f32)
        } + [probe(usual, .bf16)])
}

private func probe(_ architecture: Architecture, _ precision: Precision) -> FastDigest {
    guard let model = try? Transformer(architecture, precision: precision) else {
        preconditionFailure("the probe's own architecture is refused")
    }
    let (parameters, gradient) = (
        ParameterVector(count: model.layout.count), ParameterVector(count: model.layout.count)
    )
    model.initialise(parameters, seed: 20_170_612)
    let lane = Lane(model)
    let input = probeInput(architecture)
    let loss = lane.gradient(
        of: input, parameters: parameters, into: gradient, labelCount: input.labels.count,
        smoothing: 0.1, key: DropoutKey(seed: 3, step: 1, shard: 2), finished: { _ in })
    let logits = lane.logits(of: input, parameters: parameters).flatMap { $0 }
    let rest = ParameterVector(count: logits.count + 2)
    rest.store(logits, at: 0)
    rest[logits.count] = Float(loss.smoothed)
    rest[logits.count + 1] = Float(loss.negativeLogLikelihood)
    return FastDigest(combining: [FastDigest(parameters), FastDigest(gradient), FastDigest(rest)])
}

/// Sequences of 1 to 37 words; more rows together than a block of logits has.
private func probeInput(_ architecture: Architecture) -> ModelInput {
    func words(_ count: Int, _ salt: Int) -> [Int32] {
        (0..<count).map {
            Int32(4 + ($0 * 31 + salt * 17 + $0 * $0) % (architecture.vocabulary - 4))
        }
    }
    let lengths = [37, 1, 8, 25, 16, 33, 19, 7]
    let targets = lengths.enumerated().map { words($1, $0) }
    let sources = lengths.reversed().enumerated().map { words($1, $0 + 100) + [2] }
    let isTranslator = architecture.kind == .encoderDecoder
    return ModelInput(
        source: Sequences(isTranslator ? sources : []),
        decoder: Sequences(targets.map { [1] + $0 }), labels: targets.flatMap { $0 + [2] })
}
