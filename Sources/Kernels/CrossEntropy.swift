import CKernels

/// Label-smoothed cross entropy over rows of logits.
///
/// With p = softmax(x) over V classes and label y: loss = (1-ε)·(-log p_y) + ε/V · Σ (-log p_i).
/// Source: Szegedy et al., "Rethinking the Inception architecture" (2016), section 7.
package enum CrossEntropy {
    /// The sums over rows, in nats.
    package struct Sums: Sendable, Equatable {
        /// The sum of the label-smoothed losses.
        package var smoothed = 0.0
        /// The sum of -log p(label).
        package var negativeLogLikelihood = 0.0
        /// Begins sums of no rows.
        package init() {}
    }

    /// Adds the rows' losses to `sums`; with `scale` logits ← scale · (p - ε/V - (1-ε)·[i = y]).
    ///
    /// Shapes: logits [m, V]; labels m.
    package static func rows(
        _ logits: Matrix, labels: Indices, smoothing: Float, scale: Float?, sums: inout Sums
    ) {
        precondition(labels.count == logits.rows)
        let count = logits.columns
        for row in 0..<logits.rows {
            let x = logits.row(row)
            let label = labels[row]
            precondition(label < count, "label \(label) of \(count) classes")
            let target = Double(x[label])
            let (maximum, sum) = extent(x, count)
            let weight = exponentials(x, count, maximum, keep: scale != nil)
            let logarithm = Double(maximum) + Elementary.logarithm(Double(weight))
            sums.negativeLogLikelihood += logarithm - target
            sums.smoothed += Double(1 - smoothing) * (logarithm - target)
            sums.smoothed += Double(smoothing) * (logarithm - Double(sum) / Double(count))
            if let scale {
                shift(x, count, by: scale / weight, less: scale * smoothing / Float(count))
                x[label] -= scale * (1 - smoothing)
            }
        }
    }

    /// Returns the largest value and the sum.
    @inline(__always) private static func extent(
        _ x: UnsafeMutablePointer<Float>, _ count: Int
    ) -> (Float, Float) {
        guard !Instructions.chosen.isWide else {
            var result: (Float, Float) = (0, 0)
            dtrain_extent(x, count, &result.0, &result.1)
            return result
        }
        var largest = Wide(repeating: -.infinity)
        var sum = Wide.zero
        sweep(
            count,
            whole: {
                let value = x.wide($0)
                largest = largest.larger(value)
                sum += value
            },
            part: {
                largest = largest.larger(x.part($0, $1, rest: -.infinity))
                sum += x.part($0, $1)
            })
        return (largest.maximum, sum.total)
    }

    /// Returns Σ e^(x - maximum); the terms replace x if they are to be kept.
    @inline(__always) private static func exponentials(
        _ x: UnsafeMutablePointer<Float>, _ count: Int, _ maximum: Float, keep: Bool
    ) -> Float {
        guard !Instructions.chosen.isWide else {
            return dtrain_exponentials(x, count, maximum, keep ? 1 : 0)
        }
        var sum = Wide.zero
        sweep(
            count,
            whole: {
                let value = exponential(x.wide($0) - maximum)
                sum += value
                if keep { x.store(value, $0) }
            },
            part: {
                var value = exponential(x.part($0, $1) - maximum)
                for lane in $1..<8 { value[lane] = 0 }
                sum += value
                if keep { x.store(value, $0, part: $1) }
            })
        return sum.total
    }

    @inline(__always) private static func shift(
        _ x: UnsafeMutablePointer<Float>, _ count: Int, by factor: Float, less: Float
    ) {
        guard !Instructions.chosen.isWide else {
            return dtrain_scale_and_shift(x, count, factor, less)
        }
        let negative = Wide(repeating: -less)
        let wide = Wide(repeating: factor)
        sweep(
            count,
            whole: { x.store(negative.addingProduct(x.wide($0), wide), $0) },
            part: { x.store(negative.addingProduct(x.part($0, $1), wide), $0, part: $1) })
    }
}
