/// A Transformer's shape: all that its parameters' names and shapes, and its function, depend on.
///
/// A language model is a stack of `decoderLayers` layers; its `encoderLayers` say nothing.
package struct Architecture: Hashable, Sendable {
    package var kind: Kind
    package var norm: Norm
    package var normalisation: Normalisation
    /// Whether a sub-layer's input is added to what it gives.
    package var residual: Bool
    package var activation: Activation
    package var positionEncoding: PositionEncoding
    package var tying: Tying
    /// Whether one matrix gives both queries and keys.
    package var sharesQueryKey: Bool
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
    /// The same for attention's weights.
    package var attentionDropout: Float

    /// Without `attentionDropout` it is `dropout`.
    package init(
        kind: Kind, norm: Norm, normalisation: Normalisation = .layer, residual: Bool = true,
        activation: Activation, positionEncoding: PositionEncoding = .sinusoidal,
        tying: Tying = .all, sharesQueryKey: Bool = false, dModel: Int, encoderLayers: Int,
        decoderLayers: Int, dFF: Int, heads: Int, vocabulary: Int, positions: Int, dropout: Float,
        attentionDropout: Float? = nil
    ) {
        self.kind = kind
        self.norm = norm
        self.normalisation = normalisation
        self.residual = residual
        self.activation = activation
        self.positionEncoding = positionEncoding
        self.tying = tying
        self.sharesQueryKey = sharesQueryKey
        self.dModel = dModel
        self.encoderLayers = encoderLayers
        self.decoderLayers = decoderLayers
        self.dFF = dFF
        self.heads = heads
        self.vocabulary = vocabulary
        self.positions = positions
        self.dropout = dropout
        self.attentionDropout = attentionDropout ?? dropout
    }

    /// What no machine has must neither become an allocation nor overflow a count.
    package enum Limit {
        package static let dModel = 16_384
        package static let layers = 256
        package static let dFF = 65_536
        package static let heads = 1024
        package static let vocabulary = 1_000_000
        package static let positions = 65_536
    }

    package func validate() throws(ModelError) {
        var settings = [
            ("d-model", dModel, Limit.dModel), ("layers", decoderLayers, Limit.layers),
            ("d-ff", dFF, Limit.dFF), ("heads", heads, Limit.heads),
            ("vocabulary", vocabulary, Limit.vocabulary),
            ("positions", positions, Limit.positions),
        ]
        if kind == .encoderDecoder { settings.append(("layers", encoderLayers, Limit.layers)) }
        for (setting, value, limit) in settings {
            guard value >= 1 else { throw .notPositive(setting: setting, value: value) }
            guard value <= limit else {
                throw .tooLarge(setting: setting, value: value, limit: limit)
            }
        }
        guard dModel % heads == 0 else {
            throw .headsDoNotDivide(heads: heads, dModel: dModel)
        }
        for dropout in [dropout, attentionDropout] {
            guard dropout >= 0 && dropout < 1 else { throw .dropoutOutOfRange(dropout) }
        }
        if let conflict { throw .senseless(conflict) }
    }

    /// Choices that exclude each other, if any do.
    package var conflict: Conflict? {
        if norm == .none && normalisation != .layer { return .normalisationWithoutNorm }
        if kind == .languageModel && tying == .decoder { return .tyingWithoutEncoder }
        if positionEncoding == .rotary && dModel / heads % 2 == 1 { return .oddHeadWidth }
        return nil
    }

    package enum Conflict: Sendable, Hashable {
        /// There is no norm whose kind could be chosen.
        case normalisationWithoutNorm
        /// A language model has no source embedding that could be apart.
        case tyingWithoutEncoder
        /// Rotary positions turn pairs of a head's columns.
        case oddHeadWidth
    }
}
