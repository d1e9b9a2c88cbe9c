import Kernels

/// The choices that the literature leaves open; the raw values are those of the flags.
extension Architecture {
    /// The kind of a model: a translator with a source, or a language model without.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case encoderDecoder = "encoder-decoder"
        case languageModel = "lm"
    }

    /// The place of the norms: before each sub-layer, after each residual sum, or nowhere.
    package enum Norm: String, Codable, Sendable, CaseIterable { case pre, post, none }

    /// The kind of a norm: of a token's columns, of their root mean square,
    /// or of a column over all tokens.
    package enum Normalisation: String, Codable, Sendable, CaseIterable { case layer, rms, batch }

    /// The non-linear function of the feed-forward sub-layers.
    package enum Activation: String, Codable, Sendable, CaseIterable {
        case relu, gelu, silu, sigmoid, tanh
        /// Gated: the first linear layer is twice as wide.
        case swiglu

        var isGated: Bool { self == .swiglu }

        /// Its kernel, if it is not gated.
        var function: Kernels.Activation? {
            switch self {
            case .relu: .relu
            case .gelu: .gelu
            case .silu: .silu
            case .sigmoid: .sigmoid
            case .tanh: .tanh
            case .swiglu: nil
            }
        }
    }

    /// The way in which the model knows the order of its tokens.
    package enum PositionEncoding: String, Codable, Sendable, CaseIterable {
        /// Vaswani et al. (2017), section 3.5: added to the embeddings.
        case sinusoidal
        /// A trained vector a position, added to the embeddings; Gehring et al. (2017), section 3.1.
        case learned
        /// T5's buckets of distances, added to the logits of self-attention.
        case relative
        /// Queries and keys of self-attention turned by the position; Su et al. (2021).
        case rotary
        /// The causal mask alone tells.
        case none
    }

    /// The matrices over the vocabulary that are one.
    ///
    /// Source: Press, Wolf, "Using the output embedding to improve language models" (2017).
    package enum Tying: String, Codable, Sendable, CaseIterable {
        /// Source, target and output.
        case all
        /// Target and output.
        case decoder
        case none
    }
}

/// The distribution of the layers' matrices before the first step.
package enum Initialisation: Hashable, Sendable {
    /// Uniform in ±√(6/(in + out)), so that signals keep their size. Source: Glorot, Bengio (2010).
    case xavier
    /// Normal with a deviation, whatever their sizes.
    case normal(deviation: Float)
}

/// An error in a model's settings or in its input.
package enum ModelError: Error, Equatable, Sendable {
    /// A setting that must be at least 1.
    case notPositive(setting: String, value: Int)
    case tooLarge(setting: String, value: Int, limit: Int)
    case headsDoNotDivide(heads: Int, dModel: Int)
    case dropoutOutOfRange(Float)
    case senseless(Architecture.Conflict)
    case offsetsOutOfOrder(sequence: Int)
    case offsetsDoNotCover(last: Int, tokens: Int)
    case emptySequence(sequence: Int)
    case tokenOutOfRange(id: Int, position: Int, vocabulary: Int)
    case sequenceTooLong(sequence: Int, length: Int, positions: Int)
    case labelsDoNotMatch(labels: Int, tokens: Int)
    case sequencesDoNotMatch(source: Int, decoder: Int)
    case unexpectedSource(sequences: Int)
}
