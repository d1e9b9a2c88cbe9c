/// Linear warm-up, then decay with the inverse square root of the step.
///
///     η(t) = peak · min(t / warmup, √(warmup / t)),   t = 1, 2, …
///
/// Source: Vaswani et al. 2017, section 5.3, with the peak given instead of the model's width.
package struct LearningRateSchedule: Hashable, Codable, Sendable {
    /// The highest rate, reached at step `warmup`.
    package var peak: Float
    /// The number of steps until the peak; zero counts as one.
    package var warmup: Int

    /// Makes a schedule of its parts.
    package init(peak: Float, warmup: Int) {
        self.peak = peak
        self.warmup = warmup
    }

    /// Returns the rate of a step, counted from 1.
    package func rate(step: Int) -> Float {
        precondition(step >= 1, "step \(step)")
        let time = Double(step)
        let top = Double(max(warmup, 1))
        return Float(Double(peak) * min(time / top, (top / time).squareRoot()))
    }
}
