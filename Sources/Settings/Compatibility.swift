import Model

/// A program whose own format can express a model, if its choices are made for it.
package enum Compatibility: String, CaseIterable, Sendable {
    /// The Marian translator, and `MarianMTModel` of transformers.
    case marian
}

extension RunConfiguration {
    /// The program whose format can express the model; setting it makes the choices that it needs.
    var compatibility: Compatibility? {
        get { marianObstacle == nil ? .marian : nil }
        set {
            guard newValue == .marian else { return }
            architecture.sharesQueryKey = false
            architecture.activation = .silu
            architecture.norm = .post
            architecture.finalNorm = false
            architecture.normalisation = .layer
            architecture.residual = true
            architecture.positionEncoding = .sinusoidal
            architecture.tying = .all
        }
    }

    /// The first setting whose value Marian cannot express.
    private var marianObstacle: Setting? {
        switch architecture.marianObstacle {
        case .kind: .architecture
        case .sharedQueryKey: .shareQueryKey
        case .activation: .activation
        case .norm: .norm
        case .finalNorm: .finalNorm
        case .normalisation: .normalisation
        case .residual: .residual
        case .positionEncoding: .positionEncoding
        case nil: nil
        }
    }

    /// Refuses `--compatible-with` beside a choice that undoes it.
    func checkCompatibility(_ given: GivenSettings) throws(ConfigurationError) {
        guard given.text(.compatibleWith) != nil, let obstacle = marianObstacle else { return }
        let value = text(obstacle) ?? ""
        throw .senseless(.compatibleWith, .inexpressible(obstacle, value: value))
    }
}
