import CKernels

/// Layer normalisation: y = (x - mean) / √(variance + 10⁻⁵) · gain + bias over each row.
///
/// Source: Ba, Kiros, Hinton, "Layer normalization" (2016), section 3.
package enum Normalisation {
    static let epsilon: Float = 1e-5

    /// Shapes: x, y [m, n]; gain, bias [1, n]; statistics [m, 2]: mean and 1/deviation.
    package static func forward(
        _ x: Matrix, gain: Matrix, bias: Matrix, into y: Matrix, statistics: Matrix
    ) {
        precondition(gain.columns == x.columns && bias.columns == x.columns)
        precondition(y.rows == x.rows && y.columns == x.columns)
        precondition(statistics.rows == x.rows && statistics.columns == 2)
        for row in 0..<x.rows {
            normalise(x.row(row), x.columns, gain, bias, y.row(row), statistics.row(row))
        }
    }

    /// s = x + (a + b) ∘ mask and its normalisation in one pass: a sub-layer's residual connection.
    ///
    /// Shapes: x, a, s, y [m, n], dense; b (the bias of what gave `a`), gain, bias [1, n].
    package static func residualForward(
        _ x: Matrix, _ a: Matrix, _ b: Matrix, mask: Mask?, gain: Matrix, bias: Matrix,
        sum s: Matrix, into y: Matrix, statistics: Matrix
    ) {
        precondition(x.isDense && a.isDense && s.isDense && a.count == x.count)
        precondition(s.count == x.count && y.count == x.count && b.columns == x.columns)
        precondition(gain.columns == x.columns && bias.columns == x.columns)
        let added = b.base
        for row in 0..<x.rows {
            let (from, inner, to) = (x.row(row), a.row(row), s.row(row))
            let start = row * x.columns
            guard !Instructions.chosen.isWide else {
                dtrain_residual_row(from, inner, added, x.columns, mask.wide, start, to)
                normalise(to, x.columns, gain, bias, y.row(row), statistics.row(row))
                continue
            }
            sweep(
                x.columns,
                whole: {
                    let sum = inner.wide($0) + added.wide($0)
                    let factor = mask.factors(start + $0)
                    to.store(from.wide($0).addingProduct(sum, factor), $0)
                },
                part: {
                    let sum = inner.part($0, $1) + added.part($0, $1)
                    let factor = mask.factors(start + $0)
                    to.store(from.part($0, $1).addingProduct(sum, factor), $0, part: $1)
                })
            normalise(to, x.columns, gain, bias, y.row(row), statistics.row(row))
        }
    }

    @inline(__always) private static func normalise(
        _ x: UnsafeMutablePointer<Float>, _ count: Int, _ gain: Matrix, _ bias: Matrix,
        _ y: UnsafeMutablePointer<Float>, _ statistics: UnsafeMutablePointer<Float>
    ) {
        guard !Instructions.chosen.isWide else {
            return dtrain_normalise_row(x, count, epsilon, gain.base, bias.base, y, statistics)
        }
        let sum = total(count) { index, part in
            part.map { x.part(index, $0) } ?? x.wide(index)
        }
        let mean = sum / Float(count)
        let squares = total(count) { index, part in
            // Lanes past the end hold the mean, so that they add nothing.
            let value = part.map { x.part(index, $0, rest: mean) } ?? x.wide(index)
            let difference = value - mean
            return difference * difference
        }
        let inverse = 1 / (squares / Float(count) + epsilon).squareRoot()
        statistics[0] = mean
        statistics[1] = inverse
        let (g, b) = (gain.base, bias.base)
        sweep(
            count,
            whole: {
                y.store(b.wide($0).addingProduct((x.wide($0) - mean) * inverse, g.wide($0)), $0)
            },
            part: {
                let normal = (x.part($0, $1) - mean) * inverse
                y.store(b.part($0, $1).addingProduct(normal, g.part($0, $1)), $0, part: $1)
            })
    }

    /// dx (+)= (g - mean(g) - x̂ · mean(g ∘ x̂)) / deviation with g = dy ∘ gain and x̂ the normalised
    /// row; dgain += Σ dy ∘ x̂ and dbias += Σ dy over the rows, which must hold something before.
    package static func backward(
        _ dy: Matrix, _ x: Matrix, gain: Matrix, statistics: Matrix, into dx: Matrix,
        accumulate: Bool, dGain: Matrix, dBias: Matrix
    ) {
        precondition(dy.columns == x.columns && dx.columns == x.columns && dy.rows == x.rows)
        precondition(dGain.columns == x.columns && dBias.columns == x.columns)
        guard !Instructions.chosen.isWide else {
            precondition(statistics.columns == 2 && statistics.isDense)
            return dtrain_normalise_back(
                dy.base, x.base, gain.base, statistics.base, x.rows, x.columns, dy.stride, x.stride,
                dGain.base, dBias.base, dx.base, dx.stride, accumulate ? 1 : 0)
        }
        for row in 0..<x.rows {
            let moments = statistics.row(row)
            let part = RowGradient(
                dy: dy.row(row), x: x.row(row), gain: gain.base, mean: moments[0],
                inverse: moments[1], count: x.columns)
            part.parameters(dGain.base, dBias.base)
            part.input(dx.row(row), accumulate)
        }
    }

    private struct RowGradient {
        let dy, x, gain: UnsafeMutablePointer<Float>
        let mean, inverse: Float
        let count: Int

        @inline(__always) func parameters(
            _ dGain: UnsafeMutablePointer<Float>, _ dBias: UnsafeMutablePointer<Float>
        ) {
            sweep(
                count,
                whole: {
                    let slope = dy.wide($0)
                    let normal = (x.wide($0) - mean) * inverse
                    dGain.store(dGain.wide($0).addingProduct(slope, normal), $0)
                    dBias.store(dBias.wide($0) + slope, $0)
                },
                part: {
                    let slope = dy.part($0, $1)
                    let normal = (x.part($0, $1) - mean) * inverse
                    dGain.store(dGain.part($0, $1).addingProduct(slope, normal), $0, part: $1)
                    dBias.store(dBias.part($0, $1) + slope, $0, part: $1)
                })
        }

        @inline(__always) func input(_ dx: UnsafeMutablePointer<Float>, _ accumulate: Bool) {
            var sum = Wide.zero
            var projected = Wide.zero
            sweep(
                count,
                whole: {
                    let g = dy.wide($0) * gain.wide($0)
                    sum += g
                    projected = projected.addingProduct(g, (x.wide($0) - mean) * inverse)
                },
                part: {
                    let g = dy.part($0, $1) * gain.part($0, $1)
                    sum += g
                    projected = projected.addingProduct(g, (x.part($0, $1) - mean) * inverse)
                })
            let shift = sum.total / Float(count)
            let slope = projected.total / Float(count)
            @inline(__always) func value(_ dy: Wide, _ gain: Wide, _ x: Wide) -> Wide {
                (dy * gain - shift - (x - mean) * inverse * slope) * inverse
            }
            sweep(
                count,
                whole: {
                    let gradient = value(dy.wide($0), gain.wide($0), x.wide($0))
                    dx.store(accumulate ? dx.wide($0) + gradient : gradient, $0)
                },
                part: {
                    let gradient = value(dy.part($0, $1), gain.part($0, $1), x.part($0, $1))
                    dx.store(accumulate ? dx.part($0, $1) + gradient : gradient, $0, part: $1)
                })
        }
    }
}
