import Kernels
import Parameters

/// y = norm(x), of whatever kind.
struct NormStep {
    let input: Variable
    let weights: NormWeights
    let kept: Kept
    let output: Variable

    /// The numbers that the way back needs beside the input.
    enum Kept {
        /// [n, 2]: mean and 1/deviation of each row.
        case rows(Matrix)
        /// [n, 1]: 1/root mean square of each row.
        case inverse(Matrix)
        /// [1, d] each; the inverse is 1/deviation.
        case columns(mean: Matrix, inverse: Matrix)
    }

    func backward(_ tape: Tape) {
        let dy = tape.take(output)
        let (dx, present) = tape.contribution(input)
        tape.normBackward(dy, input.data, weights, kept, into: dx, accumulate: present)
        tape.release(dy)
    }
}

extension Tape {
    /// Shapes: x [n, d] → [n, d].
    func norm(_ x: Variable, _ weights: NormWeights) -> Variable {
        let output = variable(x.data.rows, x.data.columns)
        let kept = measure(.normForward, floats: 2 * x.data.count) {
            normalise(x.data, weights, into: output.data)
        }
        record(.norm(NormStep(input: x, weights: weights, kept: kept, output: output)))
        return output
    }

    private func normalise(_ x: Matrix, _ weights: NormWeights, into y: Matrix) -> NormStep.Kept {
        switch weights {
        case .layer(let gain, let bias):
            let statistics = arena.matrix(x.rows, 2)
            Normalisation.forward(
                x, gain: value(gain), bias: value(bias), into: y, statistics: statistics)
            return .rows(statistics)
        case .rms(let gain):
            let inverse = arena.matrix(x.rows, 1)
            RootMeanSquare.forward(x, gain: value(gain), into: y, inverse: inverse)
            return .inverse(inverse)
        case .batch(let gain, let bias, let place):
            let (mean, variance) = statistics(of: x, place: place)
            let inverse = arena.matrix(1, x.columns)
            BatchNormalisation.inverse(of: variance, into: inverse)
            BatchNormalisation.forward(
                x, mean: mean, inverse: inverse, gain: value(gain), bias: value(bias), into: y)
            return .columns(mean: mean, inverse: inverse)
        }
    }

    fileprivate func normBackward(
        _ dy: Matrix, _ x: Matrix, _ weights: NormWeights, _ kept: NormStep.Kept,
        into dx: Matrix, accumulate: Bool
    ) {
        switch (weights, kept) {
        case (.layer(let gain, let bias), .rows(let statistics)):
            let (dGain, dBias) = (summedSlot(gain), summedSlot(bias))
            measure(.normBackward, floats: 3 * dy.count) {
                Normalisation.backward(
                    dy, x, gain: value(gain), statistics: statistics, into: dx,
                    accumulate: accumulate, dGain: dGain, dBias: dBias)
            }
        case (.rms(let gain), .inverse(let inverse)):
            let dGain = summedSlot(gain)
            measure(.normBackward, floats: 3 * dy.count) {
                RootMeanSquare.backward(
                    dy, x, gain: value(gain), inverse: inverse, into: dx, accumulate: accumulate,
                    dGain: dGain)
            }
        case (.batch(let gain, let bias, _), .columns(let mean, let inverse)):
            let (dGain, dBias) = (summedSlot(gain), summedSlot(bias))
            let scratch = buffer(2, x.columns)
            measure(.normBackward, floats: 5 * dy.count) {
                BatchNormalisation.backward(
                    dy, x, mean: mean, inverse: inverse, gain: value(gain), into: dx,
                    accumulate: accumulate, dGain: dGain, dBias: dBias, scratch: scratch)
            }
            release(scratch)
        default: preconditionFailure("\(kept) is not what \(weights) keeps")
        }
    }
}

/// s = x + (a + b) ∘ mask; y = LayerNorm(s), in one pass.
struct ResidualStep {
    let input: Variable
    let inner: Variable
    let bias: Weight
    let mask: Mask?
    let weights: NormWeights
    let statistics: Matrix
    let sum: Variable
    let output: Variable

    /// ds = the gradient that came for s, and LayerNorm's; dx = ds; da = ds
    /// ∘ mask; db = column sums of da.
    func backward(_ tape: Tape) {
        let dy = tape.take(output)
        let (ds, present) = tape.contribution(sum)
        tape.normBackward(
            dy, sum.data, weights, .rows(statistics), into: ds, accumulate: present)
        tape.release(dy)
        tape.innerBackward(ds, inner, bias, mask)
        tape.give(tape.take(sum), to: input)
    }
}

extension Tape {
    /// Computes the residual connection around a sub-layer, and the LayerNorm that follows it. The
    /// last product gave `a`, its bias `b` not yet added.
    /// Shapes: x, a [n, d] → sum and its normalisation [n, d].
    func residual(
        _ x: Variable, _ a: Variable, bias: Weight, gain: Weight, shift: Weight
    ) -> (sum: Variable, normalised: Variable) {
        let sum = variable(x.data.rows, x.data.columns)
        let output = variable(x.data.rows, x.data.columns)
        let statistics = arena.matrix(x.data.rows, 2)
        let mask = mask(sum.data.count)
        measure(.normForward, floats: 4 * x.data.count) {
            Normalisation.residualForward(
                x.data, a.data, value(bias), mask: mask, gain: value(gain), bias: value(shift),
                sum: sum.data, into: output.data, statistics: statistics)
        }
        record(
            .residual(
                ResidualStep(
                    input: x, inner: a, bias: bias, mask: mask,
                    weights: .layer(gain: gain, bias: shift), statistics: statistics, sum: sum,
                    output: output)))
        return (sum, output)
    }

    /// da (+)= ds ∘ mask; db (+)= column sums of da.
    fileprivate func innerBackward(
        _ ds: Matrix, _ inner: Variable, _ bias: Weight, _ mask: Mask?
    ) {
        let (da, daPresent) = contribution(inner)
        let (db, dbPresent) = slot(bias)
        measure(.dropoutBackward, floats: 3 * da.count) {
            if let mask {
                multiply(ds, mask, into: da, accumulate: daPresent)
            } else {
                add(ds, into: da, accumulate: daPresent)
            }
            sumColumns(da, into: db, accumulate: dbPresent)
        }
    }
}

/// s = x + (a + b) ∘ mask, or without x where there is no residual connection.
struct SumStep {
    let input: Variable?
    let inner: Variable
    let bias: Weight
    let mask: Mask?
    let sum: Variable

    func backward(_ tape: Tape) {
        let ds = tape.take(sum)
        tape.innerBackward(ds, inner, bias, mask)
        if let input { tape.give(ds, to: input) } else { tape.release(ds) }
    }
}

extension Tape {
    /// Returns a sub-layer's output, whose last product gave `a`. Shapes: x, a [n, d] → [n, d].
    func sum(_ x: Variable?, _ a: Variable, bias: Weight) -> Variable {
        let sum = variable(a.data.rows, a.data.columns)
        let mask = mask(sum.data.count)
        measure(.normForward, floats: 3 * a.data.count) {
            addBias(a.data, value(bias), mask: mask, into: sum.data)
            if let x { add(x.data, into: sum.data, accumulate: true) }
        }
        record(.sum(SumStep(input: x, inner: a, bias: bias, mask: mask, sum: sum)))
        return sum
    }
}
