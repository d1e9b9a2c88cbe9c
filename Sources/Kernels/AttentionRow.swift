/// One query's attention weights: `count` of them, a multiple of eight.
struct AttentionRow {
    let weights: UnsafeMutablePointer<Float>
    let count: Int
    /// The factor 1/√d_h.
    let scale: Float
    let mask: Mask?
    /// The place in the mask at which this row begins.
    let start: Int

    /// weights ← softmax(scale · weights) over the first `seen` keys, 0 for the others; `dropped` ←
    /// weights ∘ mask if there is a mask.
    @inline(__always) func forward(seen: Int, dropped: UnsafeMutablePointer<Float>) {
        let x = weights
        let last = (seen - 1) & ~7
        let rest = seen - last
        var largest = x.wide(last).first(rest, rest: -.infinity)
        for index in stride(from: 0, to: last, by: 8) { largest = largest.larger(x.wide(index)) }
        let shift = Wide(repeating: -scale * largest.maximum)
        let factor = Wide(repeating: scale)
        var sum = Wide.zero
        for index in stride(from: 0, to: last, by: 8) {
            let value = exponential(shift.addingProduct(x.wide(index), factor))
            x.store(value, index)
            sum += value
        }
        let value = exponential(shift.addingProduct(x.wide(last), factor)).first(rest, rest: 0)
        x.store(value, last)
        sum += value
        for index in stride(from: last + 8, to: count, by: 8) { x.store(Wide.zero, index) }
        finish(1 / sum.total, dropped)
    }

    @inline(__always) private func finish(
        _ factor: Float, _ dropped: UnsafeMutablePointer<Float>
    ) {
        for index in stride(from: 0, to: count, by: 8) {
            let weight = weights.wide(index) * factor
            weights.store(weight, index)
            if mask != nil { dropped.store(weight * mask.factors(start + index), index) }
        }
    }

    /// slope ← scale · weights ∘ (slope∘mask - Σ slope∘mask∘weights); `dropped` ← weights ∘ mask if
    /// there is a mask.
    @inline(__always) func backward(
        _ slope: UnsafeMutablePointer<Float>, dropped: UnsafeMutablePointer<Float>
    ) {
        var sum = Wide.zero
        for index in stride(from: 0, to: count, by: 8) {
            let weight = weights.wide(index)
            var value = slope.wide(index)
            if mask != nil {
                let factor = mask.factors(start + index)
                value *= factor
                slope.store(value, index)
                dropped.store(weight * factor, index)
            }
            sum = sum.addingProduct(value, weight)
        }
        let product = sum.total
        for index in stride(from: 0, to: count, by: 8) {
            let weight = weights.wide(index) * scale
            slope.store((slope.wide(index) - product) * weight, index)
        }
    }
}
