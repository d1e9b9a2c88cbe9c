import Kernels
import Parameters

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A Transformer: its architecture, where its parameters lie in a flat vector, and its positions.
///
/// Source: Vaswani et al., "Attention is all you need" (2017). The names of the parameters are those of
/// `nn.Transformer` (`nn.TransformerEncoder` for a language model) and `embedding.weight`.
package struct Transformer: Sendable {
    package let architecture: Architecture
    package let layout: ParameterLayout
    let embedding: Weight
    /// Absent in a language model.
    let encoder: StackWeights?
    let decoder: StackWeights
    /// Number of parts that `Weight.part` numbers.
    let parts: Int
    private let positionTable: ParameterVector

    package init(_ architecture: Architecture) throws(ModelError) {
        try architecture.validate()
        self.architecture = architecture
        var plan = WeightPlan()
        embedding = plan.embedding(architecture)
        switch architecture.kind {
        case .encoderDecoder:
            encoder = plan.stack(
                "encoder.", architecture.encoderLayers, architecture, cross: false)
            decoder = plan.stack("decoder.", architecture.decoderLayers, architecture, cross: true)
        case .languageModel:
            encoder = nil
            decoder = plan.stack("", architecture.decoderLayers, architecture, cross: false)
        }
        layout = ParameterLayout(plan.tensors)
        parts = plan.parts
        positionTable = Self.sinusoids(architecture.positions, architecture.dModel)
    }

    /// Sinusoidal position vectors. Shapes: [positions, d].
    var positions: Matrix {
        Matrix(
            base: positionTable.unsafeAddress, rows: architecture.positions,
            columns: architecture.dModel)
    }

    /// Factor of the input embeddings: √d.
    var embeddingScale: Float { Float(architecture.dModel).squareRoot() }

    /// sin(p / 10000^(2i/d)) in even columns 2i, cos of the same in the odd ones.
    /// Source: Vaswani et al. (2017), section 3.5.
    private static func sinusoids(_ positions: Int, _ d: Int) -> ParameterVector {
        let table = ParameterVector(count: positions * d)
        for column in 0..<d {
            let frequency = exp(-log(10000) * Double(column & ~1) / Double(d))
            for position in 0..<positions {
                let angle = Double(position) * frequency
                table[position * d + column] = Float(column & 1 == 0 ? sin(angle) : cos(angle))
            }
        }
        return table
    }

    /// Fills `parameters` with their first values, a function of `seed` alone.
    ///
    /// Matrices uniform in ±√(6/(in + out)) (Glorot, Bengio 2010), embeddings normal with deviation
    /// d^-½, gains 1, biases 0.
    package func initialise(_ parameters: ParameterVector, seed: UInt64) {
        precondition(parameters.count == layout.count)
        for (index, slot) in layout.slots.enumerated() {
            let random = Philox(seed: seed, UInt32(index), 0, Self.initialisation)
            if slot.offset == embedding.offset {
                let deviation = 1 / Double(architecture.dModel).squareRoot()
                fill(parameters, slot, random) { deviation * Self.normal($0, $1) }
            } else if slot.shape.count == 2 {
                let bound = (6 / Double(slot.shape[0] + slot.shape[1])).squareRoot()
                fill(parameters, slot, random) { bound * (2 * Self.uniform($0[$1]) - 1) }
            } else {
                let isGain = slot.name.hasSuffix("weight")
                parameters.fill(isGain ? 1 : 0, in: slot.range)
            }
        }
    }

    /// Keeps these numbers apart from dropout's, whose last word is a shard.
    private static let initialisation = UInt32.max

    /// Entry i ← value(words of counter i / 4, i % 4).
    private func fill(
        _ parameters: ParameterVector, _ slot: Slot, _ random: Philox,
        _ value: (_ words: SIMD4<UInt32>, _ place: Int) -> Double
    ) {
        parameters.withMutableFloats(slot.range) { floats in
            random.forEach((slot.count + 3) / 4) { index, words in
                for place in 0..<min(4, slot.count - 4 * index) {
                    floats[4 * index + place] = Float(value(words, place))
                }
            }
        }
    }

    /// In (0, 1).
    private static func uniform(_ word: UInt32) -> Double { (Double(word) + 0.5) / 4_294_967_296 }

    /// Two words give two normal numbers, of which this is one. Source: Box, Muller (1958).
    private static func normal(_ words: SIMD4<UInt32>, _ place: Int) -> Double {
        let radius = (-2 * log(uniform(words[place & 2]))).squareRoot()
        let angle = 2 * Double.pi * uniform(words[place | 1])
        return radius * (place & 1 == 0 ? cos(angle) : sin(angle))
    }
}
