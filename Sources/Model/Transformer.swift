import Kernels
import Parameters

/// A Transformer: its architecture, where its parameters lie in a flat vector, and its positions.
///
/// Source: Vaswani et al., "Attention is all you need" (2017). The names of the parameters are those of
/// `nn.Transformer` (`nn.TransformerEncoder` for a language model), and beside them `embedding.weight` and
/// what else PyTorch leaves to the user: `source_embedding.weight`, `output.weight`, `positions.weight`,
/// `relative.weight`, `output.bias`.
package struct Transformer: Sendable {
    /// The validated sizes and choices.
    package let architecture: Architecture
    /// The precision: the format that products round their operands to.
    package let precision: Precision
    /// The places of the parameters in a flat vector.
    package let layout: ParameterLayout
    /// The weights that turn source ids into the encoder's input; nil, as
    /// the encoder, in a language model.
    let source: InputWeights?
    let encoder: StackWeights?
    let target: InputWeights
    let decoder: StackWeights
    /// The projection of the last hidden states to logits: the target's embedding if they are tied.
    let output: Weight
    /// The numbers that are added to the logits: [1, vocabulary]; nil where there are none.
    let outputBias: Weight?
    /// The number of parts that `Weight.part` numbers.
    let parts: Int
    let encoding: PositionTables

    /// Lays out a model. Throws as `Architecture.validate`.
    package init(
        _ architecture: Architecture, precision: Precision = .f32
    ) throws(ModelError) {
        try architecture.validate()
        self.precision = precision
        self.architecture = architecture
        var plan = WeightPlan(architecture)
        switch architecture.kind {
        case .encoderDecoder:
            let shared = architecture.tying == .all ? plan.embedding("") : nil
            source = plan.input("source_", embedding: shared)
            target = plan.input("", embedding: shared)
            encoder = plan.stack("encoder.", architecture.encoderLayers, cross: false)
            decoder = plan.stack("decoder.", architecture.decoderLayers, cross: true)
        case .languageModel:
            (source, encoder) = (nil, nil)
            target = plan.input("")
            decoder = plan.stack("", architecture.decoderLayers, cross: false)
        }
        output = architecture.tying == .none ? plan.output() : target.embedding
        outputBias = architecture.outputBias ? plan.outputBias() : nil
        layout = ParameterLayout(plan.tensors, statistics: plan.statistics)
        parts = plan.parts
        encoding = PositionTables(architecture)
    }

    /// The name of every layer and the range of its parameters, the encoder's
    /// first: the order of `Lane.activity`.
    package var layers: [(name: String, range: Range<Int>)] {
        let decoderName = encoder == nil ? "layers" : "decoder.layers"
        let first = (encoder?.layers ?? []).enumerated().map {
            (name: "encoder.layers.\($0)", range: $1.range)
        }
        return first
            + decoder.layers.enumerated().map { (name: "\(decoderName).\($0)", range: $1.range) }
    }

    /// The numbers that are added to the embeddings besides learned positions, row by row: sinusoids, or
    /// zeros. Shapes: [positions, d].
    package var addedPositions: [Float] { encoding.vectors.elements() }

    /// The factor of the input embeddings: √d.
    package var embeddingScale: Float { Float(architecture.dModel).squareRoot() }

    /// Fills `parameters` with their first values, a function of `seed` alone.
    ///
    /// The layers' matrices are drawn as `initialisation` says. Embeddings, output and
    /// trained positions are normal with deviation d^-½. Gains and running variances are
    /// 1, biases and running means 0.
    package func initialise(
        _ parameters: ParameterVector, seed: UInt64, _ initialisation: Initialisation = .xavier
    ) {
        precondition(parameters.count == layout.count)
        let layers = (encoder ?? decoder).layers[0].offset..<decoder.end
        for (index, slot) in layout.slots.enumerated() {
            let random = Philox(seed: seed, UInt32(index), 0, Self.initialisation)
            if slot.shape.count == 1 {
                let isOne = slot.name.hasSuffix("weight") || slot.name.hasSuffix("var")
                parameters.fill(isOne ? 1 : 0, in: slot.range)
            } else if !layers.contains(slot.offset) {
                let deviation = 1 / Double(architecture.dModel).squareRoot()
                fill(parameters, slot, random) { deviation * Self.normal($0, $1) }
            } else {
                switch initialisation {
                case .xavier:
                    let bound = (6 / Double(slot.shape[0] + slot.shape[1])).squareRoot()
                    fill(parameters, slot, random) { bound * (2 * Self.uniform($0[$1]) - 1) }
                case .normal(let deviation):
                    fill(parameters, slot, random) { Double(deviation) * Self.normal($0, $1) }
                }
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

    /// Returns a number in (0, 1).
    private static func uniform(_ word: UInt32) -> Double { (Double(word) + 0.5) / 4_294_967_296 }

    /// Two words give two normal numbers, of which this is one. Source: Box, Muller (1958).
    private static func normal(_ words: SIMD4<UInt32>, _ place: Int) -> Double {
        let radius = (-2 * Elementary.logarithm(uniform(words[place & 2]))).squareRoot()
        let angle = 2 * Double.pi * uniform(words[place | 1])
        return radius * (place & 1 == 0 ? Elementary.cosine(angle) : Elementary.sine(angle))
    }
}
