import Kernels
import Parameters

/// y = LayerNorm(x).
struct NormStep {
    let input: Variable
    let weights: NormWeights
    let statistics: Matrix
    let output: Variable

    func backward(_ tape: Tape) {
        let dy = tape.take(output)
        let (dx, present) = tape.contribution(input)
        tape.normBackward(dy, input.data, weights, statistics, into: dx, accumulate: present)
        tape.release(dy)
    }
}

extension Tape {
    /// Shapes: x [n, d] → [n, d].
    func norm(_ x: Variable, _ weights: NormWeights) -> Variable {
        let output = variable(x.data.rows, x.data.columns)
        let statistics = arena.matrix(x.data.rows, 2)
        measure(.normForward, floats: 2 * x.data.count) {
            Normalisation.forward(
                x.data, gain: value(weights.gain), bias: value(weights.bias), into: output.data,
                statistics: statistics)
        }
        record(
            .norm(NormStep(input: x, weights: weights, statistics: statistics, output: output)))
        return output
    }

    fileprivate func normBackward(
        _ dy: Matrix, _ x: Matrix, _ weights: NormWeights, _ statistics: Matrix,
        into dx: Matrix, accumulate: Bool
    ) {
        let (dGain, dBias) = (summedSlot(weights.gain), summedSlot(weights.bias))
        measure(.normBackward, floats: 3 * dy.count) {
            Normalisation.backward(
                dy, x, gain: value(weights.gain), statistics: statistics, into: dx,
                accumulate: accumulate, dGain: dGain, dBias: dBias)
        }
    }
}

/// s = x + (a + b) ∘ mask; y = LayerNorm(s).
struct ResidualStep {
    let input: Variable
    let inner: Variable
    let bias: Weight
    let mask: Mask?
    let weights: NormWeights
    let statistics: Matrix
    let sum: Variable
    let output: Variable

    /// ds = what came for s, and LayerNorm's; dx = ds; da = ds ∘ mask; db = column sums of da.
    func backward(_ tape: Tape) {
        let dy = tape.take(output)
        let (ds, present) = tape.contribution(sum)
        tape.normBackward(dy, sum.data, weights, statistics, into: ds, accumulate: present)
        tape.release(dy)
        let (da, daPresent) = tape.contribution(inner)
        let (db, dbPresent) = tape.slot(bias)
        tape.measure(.dropoutBackward, floats: 3 * da.count) {
            if let mask {
                multiply(ds, mask, into: da, accumulate: daPresent)
            } else {
                add(ds, into: da, accumulate: daPresent)
            }
            sumColumns(da, into: db, accumulate: dbPresent)
        }
        tape.give(tape.take(sum), to: input)
    }
}

extension Tape {
    /// Residual connection around a sub-layer whose last product gave `a` (bias `b` not yet added), and
    /// the norm that follows it. Shapes: x, a [n, d] → sum and its normalisation [n, d].
    func residual(
        _ x: Variable, _ a: Variable, bias: Weight, _ weights: NormWeights
    ) -> (sum: Variable, normalised: Variable) {
        let sum = variable(x.data.rows, x.data.columns)
        let output = variable(x.data.rows, x.data.columns)
        let statistics = arena.matrix(x.data.rows, 2)
        let mask = mask(sum.data.count)
        measure(.normForward, floats: 4 * x.data.count) {
            Normalisation.residualForward(
                x.data, a.data, value(bias), mask: mask, gain: value(weights.gain),
                bias: value(weights.bias), sum: sum.data, into: output.data,
                statistics: statistics)
        }
        record(
            .residual(
                ResidualStep(
                    input: x, inner: a, bias: bias, mask: mask, weights: weights,
                    statistics: statistics, sum: sum, output: output)))
        return (sum, output)
    }
}
