/// What can be wrong with a model's settings or with what it is given.
package enum ModelError: Error, Equatable, Sendable {
    /// A setting that must be at least 1.
    case notPositive(setting: String, value: Int)
    case headsDoNotDivide(heads: Int, dModel: Int)
    case dropoutOutOfRange(Float)
    case offsetsOutOfOrder(sequence: Int)
    case offsetsDoNotCover(last: Int, tokens: Int)
    case emptySequence(sequence: Int)
    case tokenOutOfRange(id: Int, position: Int, vocabulary: Int)
    case sequenceTooLong(sequence: Int, length: Int, positions: Int)
    case labelsDoNotMatch(labels: Int, tokens: Int)
    case sequencesDoNotMatch(source: Int, decoder: Int)
    case unexpectedSource(sequences: Int)
}

/// A Transformer's shape: all that its parameters' names and shapes, and its function, depend on.
///
/// A language model is a stack of `decoderLayers` layers; its `encoderLayers` say nothing.
package struct Architecture: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case encoderDecoder = "encoder-decoder"
        case languageModel = "lm"
    }

    /// Where LayerNorm stands: before each sub-layer or after each residual sum.
    package enum Norm: String, Codable, Sendable, CaseIterable { case pre, post }

    package enum Activation: String, Codable, Sendable, CaseIterable { case relu, gelu, silu }

    package var kind: Kind
    package var norm: Norm
    package var activation: Activation
    package var dModel: Int
    package var encoderLayers: Int
    package var decoderLayers: Int
    package var dFF: Int
    package var heads: Int
    package var vocabulary: Int
    /// Longest sequence.
    package var positions: Int
    /// Probability, from 0 to below 1.
    package var dropout: Float

    package init(
        kind: Kind, norm: Norm, activation: Activation, dModel: Int, encoderLayers: Int,
        decoderLayers: Int, dFF: Int, heads: Int, vocabulary: Int, positions: Int, dropout: Float
    ) {
        self.kind = kind
        self.norm = norm
        self.activation = activation
        self.dModel = dModel
        self.encoderLayers = encoderLayers
        self.decoderLayers = decoderLayers
        self.dFF = dFF
        self.heads = heads
        self.vocabulary = vocabulary
        self.positions = positions
        self.dropout = dropout
    }

    package func validate() throws(ModelError) {
        var settings = [
            ("d-model", dModel), ("layers", decoderLayers), ("d-ff", dFF), ("heads", heads),
            ("vocabulary", vocabulary), ("positions", positions),
        ]
        if kind == .encoderDecoder { settings.append(("layers", encoderLayers)) }
        for (setting, value) in settings where value < 1 {
            throw .notPositive(setting: setting, value: value)
        }
        guard dModel % heads == 0 else {
            throw .headsDoNotDivide(heads: heads, dModel: dModel)
        }
        guard dropout >= 0 && dropout < 1 else { throw .dropoutOutOfRange(dropout) }
    }
}
