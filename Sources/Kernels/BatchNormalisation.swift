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

    /// 1 / deviation of eight columns.
    @inline(__always) private static func inverse(_ variance: Wide) -> Wide {
        1 / (variance + Normalisation.epsilon).squareRoot()
    }

    /// Shapes: x, y [m, n]; mean, variance, gain, bias [1, n].
    package static func forward(
        _ x: Matrix, mean: Matrix, variance: Matrix, gain: Matrix, bias: Matrix, into y: Matrix
    ) {
        precondition(y.rows == x.rows && y.columns == x.columns && gain.columns == x.columns)
        let (m, v, g, b) = (mean.base, variance.base, gain.base, bias.base)
        for row in 0..<x.rows {
            let (from, to) = (x.row(row), y.row(row))
            sweep(
                x.columns,
                whole: {
                    let normal = (from.wide($0) - m.wide($0)) * inverse(v.wide($0))
                    to.store(b.wide($0).addingProduct(normal, g.wide($0)), $0)
                },
                part: {
                    let normal = (from.part($0, $1) - m.part($0, $1)) * inverse(v.part($0, $1))
                    to.store(b.part($0, $1).addingProduct(normal, g.part($0, $1)), $0, part: $1)
                })
        }
    }

    /// dx (+)= gain / deviation · (dy - mean(dy) - x̂ · mean(dy ∘ x̂)), means over the rows;
    /// dgain += Σ dy ∘ x̂ and dbias += Σ dy, which must hold something before.
    ///
    /// Shapes: dy, x, dx [m, n]; scratch [2, n]; the others [1, n].
    package static func backward(
        _ dy: Matrix, _ x: Matrix, mean: Matrix, variance: Matrix, gain: Matrix, into dx: Matrix,
        accumulate: Bool, dGain: Matrix, dBias: Matrix, scratch: Matrix
    ) {
        precondition(dy.rows == x.rows && dy.columns == x.columns && dx.columns == x.columns)
        precondition(scratch.rows == 2 && scratch.columns == x.columns && scratch.isDense)
        let (m, v, g) = (mean.base, variance.base, gain.base)
        let (slopes, shifts) = (scratch.row(0), scratch.row(1))
        scratch.fill(0)
        forEachPart(x) { row, index, count in
            let d = dy.row(row).part(index, count)
            let normal =
                (x.row(row).part(index, count) - m.part(index, count))
                * inverse(v.part(index, count))
            slopes.store(
                slopes.part(index, count).addingProduct(d, normal), index, part: count)
            shifts.store(shifts.part(index, count) + d, index, part: count)
        }
        add(scratch.rows(0..<1), into: dGain, accumulate: true)
        add(scratch.rows(1..<2), into: dBias, accumulate: true)
        let share = 1 / Float(x.rows)
        forEachPart(x) { row, index, count in
            let scale = inverse(v.part(index, count))
            let normal = (x.row(row).part(index, count) - m.part(index, count)) * scale
            let rest =
                dy.row(row).part(index, count) - shifts.part(index, count) * share
                - normal * (slopes.part(index, count) * share)
            let gradient = rest * g.part(index, count) * scale
            let to = dx.row(row)
            to.store(
                accumulate ? to.part(index, count) + gradient : gradient, index, part: count)
        }
    }

    @inline(__always) private static func forEachPart(
        _ x: Matrix, _ body: (_ row: Int, _ index: Int, _ count: Int) -> Void
    ) {
        for row in 0..<x.rows {
            for index in stride(from: 0, to: x.columns, by: 8) {
                body(row, index, min(8, x.columns - index))
            }
        }
    }
}
