/// Batch normalisation: y = (x - mean) / √(variance + 10⁻⁵) · gain + bias over each column.
///
/// Source: Ioffe, Szegedy, "Batch normalization" (2015), algorithm 1 with tokens as the batch.
package enum BatchNormalisation {
    /// Mean and (biased) variance of every column. Shapes: x [m, n]; mean, variance [1, n].
    package static func statistics(_ x: Matrix, mean: Matrix, variance: Matrix) {
        precondition(x.rows > 0 && mean.columns == x.columns && variance.columns == x.columns)
        let share = 1 / Float(x.rows)
        sumColumns(x, into: mean, accumulate: false)
        let (m, v) = (mean.base, variance.base)
        variance.fill(0)
        sweep(
            x.columns, whole: { m.store(m.wide($0) * share, $0) },
            part: { m.store(m.part($0, $1) * share, $0, part: $1) })
        for row in 0..<x.rows {
            let from = x.row(row)
            sweep(
                x.columns,
                whole: {
                    let difference = from.wide($0) - m.wide($0)
                    v.store(v.wide($0).addingProduct(difference, difference), $0)
                },
                part: {
                    let difference = from.part($0, $1) - m.part($0, $1)
                    v.store(v.part($0, $1).addingProduct(difference, difference), $0, part: $1)
                })
        }
        sweep(
            x.columns, whole: { v.store(v.wide($0) * share, $0) },
            part: { v.store(v.part($0, $1) * share, $0, part: $1) })
    }

    /// Computes 1 / deviation of every column. Shapes: [1, n] both.
    package static func inverse(of variance: Matrix, into inverse: Matrix) {
        precondition(variance.columns == inverse.columns)
        let (v, i) = (variance.base, inverse.base)
        sweep(
            variance.columns,
            whole: { i.store(1 / (v.wide($0) + Normalisation.epsilon).squareRoot(), $0) },
            part: {
                i.store(1 / (v.part($0, $1) + Normalisation.epsilon).squareRoot(), $0, part: $1)
            })
    }

    /// Shapes: x, y [m, n]; mean, inverse, gain, bias [1, n].
    package static func forward(
        _ x: Matrix, mean: Matrix, inverse: Matrix, gain: Matrix, bias: Matrix, into y: Matrix
    ) {
        precondition(y.rows == x.rows && y.columns == x.columns && gain.columns == x.columns)
        let (m, i, g, b) = (mean.base, inverse.base, gain.base, bias.base)
        for row in 0..<x.rows {
            let (from, to) = (x.row(row), y.row(row))
            sweep(
                x.columns,
                whole: {
                    let normal = (from.wide($0) - m.wide($0)) * i.wide($0)
                    to.store(b.wide($0).addingProduct(normal, g.wide($0)), $0)
                },
                part: {
                    let normal = (from.part($0, $1) - m.part($0, $1)) * i.part($0, $1)
                    to.store(b.part($0, $1).addingProduct(normal, g.part($0, $1)), $0, part: $1)
                })
        }
    }

    /// dx (+)= gain / deviation · (dy - mean(dy) - x̂ · mean(dy ∘ x̂)), means over the rows;
    /// dgain += Σ dy ∘ x̂ and dbias += Σ dy, which must hold something before.
    ///
    /// Shapes: dy, x, dx [m, n]; scratch [2, n]; the others [1, n].
    package static func backward(
        _ dy: Matrix, _ x: Matrix, mean: Matrix, inverse: Matrix, gain: Matrix, into dx: Matrix,
        accumulate: Bool, dGain: Matrix, dBias: Matrix, scratch: Matrix
    ) {
        precondition(dy.rows == x.rows && dy.columns == x.columns && dx.columns == x.columns)
        precondition(scratch.rows == 2 && scratch.columns == x.columns && scratch.isDense)
        let sums = (slopes: scratch.rows(0..<1), shifts: scratch.rows(1..<2))
        scratch.fill(0)
        collect(dy, x, mean, inverse, sums.slopes.base, sums.shifts.base)
        add(sums.slopes, into: dGain, accumulate: true)
        add(sums.shifts, into: dBias, accumulate: true)
        scale(scratch, by: 1 / Float(x.rows), into: scratch)
        let (m, i, g) = (mean.base, inverse.base, gain.base)
        let (slopes, shifts) = (sums.slopes.base, sums.shifts.base)
        for row in 0..<x.rows {
            let (from, slope, to) = (x.row(row), dy.row(row), dx.row(row))
            sweep(
                x.columns,
                whole: {
                    let normal = (from.wide($0) - m.wide($0)) * i.wide($0)
                    let rest = slope.wide($0) - shifts.wide($0) - normal * slopes.wide($0)
                    let gradient = rest * g.wide($0) * i.wide($0)
                    to.store(accumulate ? to.wide($0) + gradient : gradient, $0)
                },
                part: {
                    let normal = (from.part($0, $1) - m.part($0, $1)) * i.part($0, $1)
                    let mean = normal * slopes.part($0, $1)
                    let rest = slope.part($0, $1) - shifts.part($0, $1) - mean
                    let gradient = rest * g.part($0, $1) * i.part($0, $1)
                    to.store(accumulate ? to.part($0, $1) + gradient : gradient, $0, part: $1)
                })
        }
    }

    /// slopes += Σ dy ∘ x̂; shifts += Σ dy.
    private static func collect(
        _ dy: Matrix, _ x: Matrix, _ mean: Matrix, _ inverse: Matrix,
        _ slopes: UnsafeMutablePointer<Float>, _ shifts: UnsafeMutablePointer<Float>
    ) {
        let (m, i) = (mean.base, inverse.base)
        for row in 0..<x.rows {
            let (from, slope) = (x.row(row), dy.row(row))
            sweep(
                x.columns,
                whole: {
                    let normal = (from.wide($0) - m.wide($0)) * i.wide($0)
                    slopes.store(slopes.wide($0).addingProduct(slope.wide($0), normal), $0)
                    shifts.store(shifts.wide($0) + slope.wide($0), $0)
                },
                part: {
                    let normal = (from.part($0, $1) - m.part($0, $1)) * i.part($0, $1)
                    let sum = slopes.part($0, $1).addingProduct(slope.part($0, $1), normal)
                    slopes.store(sum, $0, part: $1)
                    shifts.store(shifts.part($0, $1) + slope.part($0, $1), $0, part: $1)
                })
        }
    }
}
