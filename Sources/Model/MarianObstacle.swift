/// A choice that the Marian translator's format cannot express.
package enum MarianObstacle: Sendable, Hashable, CaseIterable {
    /// It translates.
    case kind
    /// Queries and keys have a matrix each.
    case sharedQueryKey
    /// It has no gate.
    case activation
    /// Its norms stand after the sub-layers.
    case norm
    /// No norm stands behind its stacks.
    case finalNorm
    /// Its norms are LayerNorm.
    case normalisation
    /// Each sub-layer's input is added to its output.
    case residual
    /// Its positions are sinusoids.
    case positionEncoding
}

extension Architecture {
    /// The first choice that Marian's format cannot express; nil if it can express all.
    package var marianObstacle: MarianObstacle? {
        let obstacles: [(MarianObstacle, Bool)] = [
            (.kind, kind != .encoderDecoder), (.norm, norm != .post), (.finalNorm, finalNorm),
            (.normalisation, normalisation != .layer), (.residual, !residual),
            (.activation, activation.isGated), (.sharedQueryKey, sharesQueryKey),
            (.positionEncoding, positionEncoding != .sinusoidal),
        ]
        return obstacles.first { $0.1 }?.0
    }
}
