import Kernels
import Parameters

/// Digest of what this machine's arithmetic makes of a fixed problem: every primitive, every choice of an
/// architecture and every precision, at odd shapes and with dropout; products whose last tiles have every
/// number of rows and columns; elementary functions; an update; a translation.
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
        { $0.positionEncoding = .none },
    ]
    return FastDigest(
        combining: changes.map { change in
            var architecture = usual
            change(&architecture)
            return probe(architecture, .f32)
        } + [probe(usual, .bf16), productProbe(.f32), productProbe(.bf16), functionProbe()])
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
    let words = translate(input, model, parameters)
    update(parameters, by: gradient)
    return FastDigest(
        combining: [words, FastDigest(parameters), FastDigest(gradient), FastDigest(rest)])
}

/// What a beam makes of the first sources, or texts; nothing where the first values say nothing.
private func translate(
    _ input: ModelInput, _ model: Transformer, _ parameters: ParameterVector
) -> FastDigest {
    let isTranslator = model.architecture.kind == .encoderDecoder
    let sequences = isTranslator ? input.source : input.decoder
    let two = (0..<2).map {
        Array(
            sequences.ids[
                sequences.offsets[$0]..<min(sequences.offsets[$0] + 9, sequences.offsets[$0 + 1])])
    }
    let words =
        isTranslator
        ? Decoding(model).translate(two, parameters: parameters, beam: 3)
        : Decoding(model).proceed(two, parameters: parameters, beam: 3)
    return words.flatMap { [Int32($0.count)] + $0 }.withUnsafeBytes { FastDigest(block: $0) }
}

private func update(_ parameters: ParameterVector, by gradient: ParameterVector) {
    let moments = (ParameterVector(count: gradient.count), ParameterVector(count: gradient.count))
    AdamPass(
        scale: 0.7, beta1: 0.9, beta2: 0.98, stepSize: 0.003, rootFactor: 1.3, epsilon: 1e-9,
        keepParameter: 0.999
    ).apply(
        parameters: parameters, firstMoment: moments.0, secondMoment: moments.1,
        gradient: gradient, range: 0..<gradient.count)
}

/// Products of all three kinds, of 1 to 13 rows and 1 to 33 columns, within a block of depth and beyond.
private func productProbe(_ precision: Precision) -> FastDigest {
    let (rows, columns, depths) = (13, 33, [3, 260])
    let numbers = ParameterVector(count: 2 * depths[1] * columns)
    let random = Philox(seed: 1_707, 0, 0, 0)
    for index in 0..<numbers.count {
        numbers[index] = Float(random.words(UInt32(index))[0]) * 0x1p-31 - 1
    }
    let multiplier = Multiplier(precision: precision)
    let results = ParameterVector(count: rows * columns)
    var digests: [FastDigest] = []
    func matrix(_ place: Int, _ rows: Int, _ columns: Int) -> Matrix {
        Matrix(base: numbers.unsafeAddress + place, rows: rows, columns: columns)
    }
    for depth in depths {
        let second = numbers.count / 2
        for m in 1...rows {
            for n in 1...columns where n == columns || m == rows || (m + n) % 4 == 0 {
                let c = Matrix(base: results.unsafeAddress, rows: m, columns: n)
                multiplier.times(matrix(0, m, depth), matrix(second, depth, n), into: c)
                multiplier.timesTransposed(
                    matrix(0, m, depth), matrix(second, n, depth), into: c, accumulate: true)
                multiplier.transposedTimes(
                    matrix(0, depth, m), matrix(second, depth, n), into: c, accumulate: true)
                digests.append(FastDigest(results))
            }
        }
    }
    return FastDigest(combining: digests)
}

/// Elementary functions over their domains.
private func functionProbe() -> FastDigest {
    var bits: [UInt64] = []
    for index in 1...500 {
        let x = Double(index) * 0.37
        bits.append(Elementary.logarithm(x * x * x).bitPattern)
        bits.append(Elementary.exponential(x - 92.5).bitPattern)
        bits.append(Elementary.sine(x * 17).bitPattern)
        bits.append(Elementary.cosine(x * 17).bitPattern)
        bits.append(Elementary.power(Double(index) / 501, index).bitPattern)
        bits.append(Elementary.power(x, 0.6).bitPattern)
        bits.append(UInt64(Elementary.logarithm(Float(x)).bitPattern))
    }
    return bits.withUnsafeBytes { FastDigest(block: $0) }
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
