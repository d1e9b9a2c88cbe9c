import Kernels
import Parameters

/// Adam's settings, with decoupled weight decay.
///
///     θ ← (1 − η λ) θ − η · m̂ / (√v̂ + ε),   m̂ = m / (1−β₁ᵗ),   v̂ = v / (1−β₂ᵗ)
///
/// Bias corrections are computed in Double and rounded once; the rest is float32 as PyTorch's.
/// Source: Kingma & Ba 2015, section 2; Loshchilov & Hutter 2019, algorithm 2; β₂ and ε from
/// Vaswani et al. 2017, section 5.3.
package struct AdamW: Hashable, Codable, Sendable {
    /// The decay rate β₁ of the first moment, from 0 to below 1.
    package var beta1: Double
    /// The decay rate β₂ of the second moment, from 0 to below 1.
    package var beta2: Double
    /// The constant ε, which keeps the quotient finite.
    package var epsilon: Double
    /// λ: the share of each parameter that is taken off it, per unit of learning rate.
    package var weightDecay: Double

    /// Makes settings of their parts; without any, those of Vaswani et al. and no weight decay.
    package init(
        beta1: Double = 0.9, beta2: Double = 0.98, epsilon: Double = 1e-9, weightDecay: Double = 0
    ) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }

    /// Returns the constants of the `count`-th update (from 1) with
    /// gradients multiplied by `scale`.
    package func pass(count: Int, scale: Float, rate: Float) -> AdamPass {
        precondition(count >= 1, "update \(count)")
        let rate = Double(rate)
        return AdamPass(
            scale: scale, beta1: beta1, beta2: beta2,
            stepSize: rate / (1 - Elementary.power(beta1, count)),
            rootFactor: 1 / (1 - Elementary.power(beta2, count)).squareRoot(),
            epsilon: epsilon, keepParameter: 1 - rate * weightDecay)
    }
}
