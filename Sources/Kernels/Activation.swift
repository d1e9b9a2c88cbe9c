import CKernels

/// The feed-forward layer's nonlinearity, with bias before and dropout after it in one pass.
package enum Activation: CaseIterable, Sendable {
    case relu
    /// x·Φ(x) with Φ by the error function. Source: Hendrycks, Gimpel (2016), section 2.
    case gelu
    /// x·σ(x). Source: Elfwing, Uchibe, Doya (2018); Ramachandran, Zoph, Le (2017).
    case silu
    /// σ(x) = 1 / (1 + e^-x): saturates, and its slope is at most 1/4.
    case sigmoid
    /// Saturates, with a slope of 1 at 0.
    case tanh

    /// f(x) and f'(x).
    @inline(__always) func value(_ x: Wide) -> (Wide, Wide) {
        switch self {
        case .relu:
            let positive = x .> 0
            return (
                Wide.zero.replacing(with: x, where: positive),
                Wide.zero.replacing(with: 1, where: positive)
            )
        case .gelu:
            let phi = 0.5 * errorFunction(x * 0.707_106_77) + 0.5
            let density = exponential(x * x * -0.5) * 0.398_942_28
            return (x * phi, phi.addingProduct(x, density))
        case .silu:
            let s = Kernels.sigmoid(x)
            return (x * s, s.addingProduct(x * s, 1 - s))
        case .sigmoid:
            let s = Kernels.sigmoid(x)
            return (s, s * (1 - s))
        case .tanh:
            let t = hyperbolicTangent(x)
            return (t, 1 - t * t)
        }
    }

    /// y ← f(h + b) ∘ mask; with `keepSlope` h ← f'(h + b) ∘ mask, which is all that the way back needs.
    ///
    /// Shapes: h, y [m, n], dense; b [1, n]. f by its own loop, so that the choice is made once.
    package func forward(_ h: Matrix, bias b: Matrix, mask: Mask?, into y: Matrix, keepSlope: Bool)
    {
        precondition(h.isDense && y.isDense && y.count == h.count && b.columns == h.columns)
        guard !Instructions.chosen.isWide else {
            return dtrain_activate(
                wide, h.base, b.base, h.rows, h.columns, mask.wide, y.base, keepSlope ? 1 : 0)
        }
        switch self {
        case .relu: Activation.relu.rows(h, b, mask, y, keepSlope)
        case .gelu: Activation.gelu.rows(h, b, mask, y, keepSlope)
        case .silu: Activation.silu.rows(h, b, mask, y, keepSlope)
        case .sigmoid: Activation.sigmoid.rows(h, b, mask, y, keepSlope)
        case .tanh: Activation.tanh.rows(h, b, mask, y, keepSlope)
        }
    }

    private var wide: dtrain_activation {
        switch self {
        case .relu: dtrain_relu
        case .gelu: dtrain_gelu
        case .silu: dtrain_silu
        case .sigmoid: dtrain_sigmoid
        case .tanh: dtrain_tanh
        }
    }

    @inline(__always) private func rows(
        _ h: Matrix, _ b: Matrix, _ mask: Mask?, _ y: Matrix, _ keepSlope: Bool
    ) {
        let bias = b.base
        for row in 0..<h.rows {
            let (from, to) = (h.row(row), y.row(row))
            let start = row * h.columns
            sweep(
                h.columns,
                whole: {
                    let (result, slope) = value(from.wide($0) + bias.wide($0))
                    let factor = mask.factors(start + $0)
                    to.store(result * factor, $0)
                    if keepSlope { from.store(slope * factor, $0) }
                },
                part: {
                    let (result, slope) = value(from.part($0, $1) + bias.part($0, $1))
                    let factor = mask.factors(start + $0)
                    to.store(result * factor, $0, part: $1)
                    if keepSlope { from.store(slope * factor, $0, part: $1) }
                })
        }
    }

    /// dy ← dy ∘ slope in place, which is the gradient of h; db (+)= its column sums.
    ///
    /// Shapes: dy, slope [m, n]; db [1, n].
    package static func backward(
        _ dy: Matrix, slope: Matrix, dBias: Matrix, accumulate: Bool
    ) {
        precondition(dy.rows == slope.rows && dy.columns == slope.columns)
        precondition(dBias.columns == dy.columns)
        if !accumulate { dBias.fill(0) }
        let sums = dBias.base
        guard !Instructions.chosen.isWide else {
            return dtrain_activate_back(
                dy.base, slope.base, dy.rows, dy.columns, dy.stride, slope.stride, sums)
        }
        for row in 0..<dy.rows {
            let (gradient, factor) = (dy.row(row), slope.row(row))
            sweep(
                dy.columns,
                whole: {
                    let product = gradient.wide($0) * factor.wide($0)
                    gradient.store(product, $0)
                    sums.store(sums.wide($0) + product, $0)
                },
                part: {
                    let product = gradient.part($0, $1) * factor.part($0, $1)
                    gradient.store(product, $0, part: $1)
                    sums.store(sums.part($0, $1) + product, $0, part: $1)
                })
        }
    }
}
