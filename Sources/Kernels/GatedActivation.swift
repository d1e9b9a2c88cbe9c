/// SwiGLU: one half of the hidden units, through SiLU, is the gate of the other.
///
///     y = silu(g) ∘ v ∘ mask,   (g | v) = h + b
///
/// Source: Shazeer, "GLU variants improve Transformer" (2020), with biases as in the other linear layers.
package enum GatedActivation {
    /// With `keepSlope` h ← (silu'(g) ∘ v | silu(g)) ∘ mask, which is all that the way back needs.
    ///
    /// Shapes: h [m, 2n], y [m, n], dense; b [1, 2n].
    package static func forward(
        _ h: Matrix, bias: Matrix, mask: Mask?, into y: Matrix, keepSlope: Bool
    ) {
        let width = y.columns
        precondition(h.columns == 2 * width && bias.columns == h.columns && h.rows == y.rows)
        precondition(h.isDense && y.isDense)
        let (gateBias, valueBias) = (bias.base, bias.base + width)
        for row in 0..<h.rows {
            let (gate, value, result) = (h.row(row), h.row(row) + width, y.row(row))
            let start = row * width
            sweep(
                width,
                whole: {
                    let (s, slope) = Activation.silu.value(gate.wide($0) + gateBias.wide($0))
                    let v = value.wide($0) + valueBias.wide($0)
                    let factor = mask.factors(start + $0)
                    result.store(s * v * factor, $0)
                    guard keepSlope else { return }
                    gate.store(slope * v * factor, $0)
                    value.store(s * factor, $0)
                },
                part: {
                    let (s, slope) = Activation.silu.value(
                        gate.part($0, $1) + gateBias.part($0, $1))
                    let v = value.part($0, $1) + valueBias.part($0, $1)
                    let factor = mask.factors(start + $0)
                    result.store(s * v * factor, $0, part: $1)
                    guard keepSlope else { return }
                    gate.store(slope * v * factor, $0, part: $1)
                    value.store(s * factor, $0, part: $1)
                })
        }
    }

    /// slope ← (dy | dy) ∘ slope in place, which is the gradient of h.
    ///
    /// Shapes: dy [m, n]; slope [m, 2n].
    package static func backward(_ dy: Matrix, slope: Matrix) {
        let width = dy.columns
        precondition(slope.columns == 2 * width && slope.rows == dy.rows)
        for row in 0..<dy.rows {
            let gradient = dy.row(row)
            for half in [slope.row(row), slope.row(row) + width] {
                sweep(
                    width,
                    whole: { half.store(half.wide($0) * gradient.wide($0), $0) },
                    part: {
                        half.store(half.part($0, $1) * gradient.part($0, $1), $0, part: $1)
                    })
            }
        }
    }
}
