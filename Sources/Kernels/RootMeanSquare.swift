/// RMSNorm: y = x / √(mean(x²) + 10⁻⁵) · gain over each row; no mean is taken off, no bias added.
///
/// Source: Zhang, Sennrich, "Root mean square layer normalization" (2019), section 4.
package enum RootMeanSquare {
    /// Shapes: x, y [m, n]; gain [1, n]; inverse [m, 1]: 1 / root mean square of each row.
    package static func forward(_ x: Matrix, gain: Matrix, into y: Matrix, inverse: Matrix) {
        precondition(gain.columns == x.columns && inverse.rows == x.rows)
        precondition(y.rows == x.rows && y.columns == x.columns)
        let g = gain.base
        for row in 0..<x.rows {
            let (from, to) = (x.row(row), y.row(row))
            let squares = total(x.columns) { index, part in
                let value = part.map { from.part(index, $0) } ?? from.wide(index)
                return value * value
            }
            let scale = 1 / (squares / Float(x.columns) + Normalisation.epsilon).squareRoot()
            inverse.row(row)[0] = scale
            sweep(
                x.columns,
                whole: { to.store(from.wide($0) * scale * g.wide($0), $0) },
                part: { to.store(from.part($0, $1) * scale * g.part($0, $1), $0, part: $1) })
        }
    }

    /// dx (+)= (g - x̂ · mean(g ∘ x̂)) / rms with g = dy ∘ gain and x̂ = x / rms; dgain += Σ dy ∘ x̂
    /// over the rows, which must hold something before.
    package static func backward(
        _ dy: Matrix, _ x: Matrix, gain: Matrix, inverse: Matrix, into dx: Matrix,
        accumulate: Bool, dGain: Matrix
    ) {
        precondition(dy.columns == x.columns && dx.columns == x.columns && dy.rows == x.rows)
        let (g, sums) = (gain.base, dGain.base)
        for row in 0..<x.rows {
            let (slope, from, to) = (dy.row(row), x.row(row), dx.row(row))
            let scale = inverse.row(row)[0]
            let projected = total(x.columns) { index, part in
                guard let part else {
                    return slope.wide(index) * g.wide(index) * (from.wide(index) * scale)
                }
                return slope.part(index, part) * g.part(index, part)
                    * (from.part(index, part) * scale)
            }
            let mean = projected / Float(x.columns)
            sweep(
                x.columns,
                whole: {
                    let normal = from.wide($0) * scale
                    sums.store(sums.wide($0).addingProduct(slope.wide($0), normal), $0)
                    let gradient = (slope.wide($0) * g.wide($0) - normal * mean) * scale
                    to.store(accumulate ? to.wide($0) + gradient : gradient, $0)
                },
                part: {
                    let normal = from.part($0, $1) * scale
                    sums.store(
                        sums.part($0, $1).addingProduct(slope.part($0, $1), normal), $0, part: $1)
                    let gradient = (slope.part($0, $1) * g.part($0, $1) - normal * mean) * scale
                    to.store(accumulate ? to.part($0, $1) + gradient : gradient, $0, part: $1)
                })
        }
    }
}
