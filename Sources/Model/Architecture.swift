/// A Transformer's shape: all that its parameters' names and shapes, and its function, depend on.
///
/// A language model is a stack of `decoderLayers` layers; its `encoderLayers` say nothing.
package struct Architecture: Hashable, Sendable {
    /// The kind: encoder-decoder, or language model.
    package var kind: Kind
    /// The place of the norms.
    package var norm: Norm
    /// Whether a norm stands behind each stack; with norms after the sub-layers it may be missing.
    package var finalNorm: Bool
    /// The kind of every norm, where there are any.
    package var normalisation: Normalisation
    /// Whether a sub-layer's input is added to its output.
    package var residual: Bool
    /// The non-linear function of the feed-forward sub-layers.
    package var activation: Activation
    /// The way in which the model knows the order of its tokens.
    package var positionEncoding: PositionEncoding
    /// The matrices over the vocabulary that are one.
    package var tying: Tying
    /// Whether a trained number is added to each logit.
    package var outputBias: Bool
    /// Whether one matrix gives both queries and keys.
    package var sharesQueryKey: Bool
    /// The width of the hidden states, a multiple of `heads`.
    package var dModel: Int
    /// The number of layers of the encoder.
    package var encoderLayers: Int
    /// The number of layers of the decoder, or of a language model.
    package var decoderLayers: Int
    /// The inner width of the feed-forward sub-layers.
    package var dFF: Int
    /// The number of heads of each attention, each `dModel / heads` wide.
    package var heads: Int
    /// The number of ids, marks included.
    package var vocabulary: Int
    /// The most tokens of a sequence, marks included.
    package var positions: Int
    /// The probability that dropout zeroes an element, from 0 to below 1.
    package var dropout: Float
    /// The same for attention's weights.
    package var attentionDropout: Float

    /// Makes an architecture of its parts, unchecked. Nil for `attentionDropout` means `dropout`.
    package init(
        kind: Kind, norm: Norm, finalNorm: Bool = true, normalisation: Normalisation = .layer,
        residual: Bool = true, activation: Activation,
        positionEncoding: PositionEncoding = .sinusoidal, tying: Tying = .all,
        outputBias: Bool = false, sharesQueryKey: Bool = false, dModel: Int, encoderLayers: Int,
        decoderLayers: Int, dFF: Int, heads: Int, vocabulary: Int, positions: Int, dropout: Float,
        attentionDropout: Float? = nil
    ) {
        self.kind = kind
        self.norm = norm
        self.finalNorm = finalNorm
        self.normalisation = normalisation
        self.residual = residual
        self.activation = activation
        self.positionEncoding = positionEncoding
        self.tying = tying
        self.outputBias = outputBias
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

    /// The largest sizes: what no machine has must neither become an
    /// allocation nor overflow a count.
    package enum Limit {
        /// The widest hidden states.
        package static let dModel = 16_384
        /// The most layers of one stack.
        package static let layers = 256
        /// The widest feed-forward sub-layer.
        package static let dFF = 65_536
        /// The most heads of an attention.
        package static let heads = 1024
        /// The most ids.
        package static let vocabulary = 1_000_000
        /// The most positions.
        package static let positions = 65_536
    }

    /// Checks all sizes and choices. Throws: `notPositive`, `tooLarge`, `headsDoNotDivide`,
    /// `dropoutOutOfRange`, `senseless`.
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

    /// The choices that exclude each other; nil if none do.
    package var conflict: Conflict? {
        if norm == .none && normalisation != .layer { return .normalisationWithoutNorm }
        if norm != .post && !finalNorm { return .finalNormNeeded }
        if kind == .languageModel && tying == .decoder { return .tyingWithoutEncoder }
        if positionEncoding == .rotary && dModel / heads % 2 == 1 { return .oddHeadWidth }
        return nil
    }

    /// A pair of choices that make no sense beside each other.
    package enum Conflict: Sendable, Hashable {
        /// There is no norm whose kind could be chosen.
        case normalisationWithoutNorm
        /// Only behind norms after the sub-layers can the last one be left out.
        case finalNormNeeded
        /// A language model has no source embedding that could be apart.
        case tyingWithoutEncoder
        /// Rotary positions turn pairs of a head's columns.
        case oddHeadWidth
    }
}
