import CKernels
import Kernels

/// The constants of one Adam update, rounded to float32, and the loop that applies them.
///
/// With s the clip scale and g the gradient, elementwise:
///
///     m ← β₁ m + (1−β₁) s g
///     v ← β₂ v + (1−β₂) (s g)²
///     θ ← κ θ − α · m / (ρ √v + ε)
///
/// The bias corrections lie in α = η/(1−β₁ᵗ) and ρ = 1/√(1−β₂ᵗ); κ = 1 − η λ is the decoupled
/// decay. Source: Kingma & Ba 2015, section 2; Loshchilov & Hutter 2019, algorithm 2.
package struct AdamPass: Sendable {
    /// The clip scale s, by which the gradient is multiplied.
    package var scale: Float
    /// The first decay rate, β₁.
    package var keepFirst: Float
    /// The rest of it, 1 − β₁.
    package var takeFirst: Float
    /// The second decay rate, β₂.
    package var keepSecond: Float
    /// The rest of it, 1 − β₂.
    package var takeSecond: Float
    /// The step size α, with the first bias correction.
    package var stepSize: Float
    /// The factor ρ of the root, with the second bias correction.
    package var rootFactor: Float
    /// The constant ε, which keeps the quotient finite.
    package var epsilon: Float
    /// The factor κ of the parameter; 1 without weight decay.
    package var keepParameter: Float

    /// Rounds the constants to float32, 1 − β₁ and 1 − β₂ after subtracting in Double.
    package init(
        scale: Float, beta1: Double, beta2: Double, stepSize: Double, rootFactor: Double,
        epsilon: Double, keepParameter: Double
    ) {
        self.scale = scale
        self.keepFirst = Float(beta1)
        self.takeFirst = Float(1 - beta1)
        self.keepSecond = Float(beta2)
        self.takeSecond = Float(1 - beta2)
        self.stepSize = Float(stepSize)
        self.rootFactor = Float(rootFactor)
        self.epsilon = Float(epsilon)
        self.keepParameter = Float(keepParameter)
    }

    /// Updates `range` of θ, m and v in one pass over memory.
    ///
    /// An element's new bits do not depend on the range it is updated in.
    /// Shapes: four vectors of equal count.
    package func apply(
        parameters: ParameterVector, firstMoment: ParameterVector, secondMoment: ParameterVector,
        gradient: ParameterVector, range: Range<Int>
    ) {
        gradient.withFloats(range) { g in
            parameters.withMutableFloats(range) { p in
                firstMoment.withMutableFloats(range) { m in
                    secondMoment.withMutableFloats(range) { v in
                        guard let p = p.baseAddress, let m = m.baseAddress,
                            let v = v.baseAddress, let g = g.baseAddress
                        else { return }
                        apply(p, m, v, g, count: range.count)
                    }
                }
            }
        }
    }

    /// Does the same with a gradient that holds `range` alone, from its element 0 on.
    package func apply(
        parameters: ParameterVector, firstMoment: ParameterVector, secondMoment: ParameterVector,
        rangeGradient: ParameterVector, range: Range<Int>
    ) {
        rangeGradient.withFloats(0..<range.count) { g in
            parameters.withMutableFloats(range) { p in
                firstMoment.withMutableFloats(range) { m in
                    secondMoment.withMutableFloats(range) { v in
                        guard let p = p.baseAddress, let m = m.baseAddress,
                            let v = v.baseAddress, let g = g.baseAddress
                        else { return }
                        apply(p, m, v, g, count: range.count)
                    }
                }
            }
        }
    }

    private func apply(
        _ p: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>,
        _ v: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, count: Int
    ) {
        guard !Instructions.chosen.isWide else {
            var pass = dtrain_adam(
                scale: scale, keep_first: keepFirst, take_first: takeFirst,
                keep_second: keepSecond, take_second: takeSecond, step_size: stepSize,
                root_factor: rootFactor, epsilon: epsilon, keep_parameter: keepParameter)
            return dtrain_adam_pass(&pass, p, m, v, g, count)
        }
        var index = 0
        while index + 8 <= count {
            var (parameter, first, second) = (eight(p + index), eight(m + index), eight(v + index))
            step(&parameter, &first, &second, gradient: eight(g + index))
            store(first, m + index)
            store(second, v + index)
            store(parameter, p + index)
            index += 8
        }
        // The tail in one vector too: the same instructions give the same bits.
        if index < count {
            var (parameter, first, second) = (SIMD8<Float>(), SIMD8<Float>(), SIMD8<Float>())
            var gradient = SIMD8<Float>()
            for lane in 0..<count - index {
                parameter[lane] = p[index + lane]
                first[lane] = m[index + lane]
                second[lane] = v[index + lane]
                gradient[lane] = g[index + lane]
            }
            step(&parameter, &first, &second, gradient: gradient)
            for lane in 0..<count - index {
                m[index + lane] = first[lane]
                v[index + lane] = second[lane]
                p[index + lane] = parameter[lane]
            }
        }
    }

    @inline(__always)
    private func step(
        _ parameter: inout SIMD8<Float>, _ first: inout SIMD8<Float>,
        _ second: inout SIMD8<Float>, gradient: SIMD8<Float>
    ) {
        let scaled = gradient * scale
        first = (first * keepFirst).addingProduct(scaled, SIMD8(repeating: takeFirst))
        second = (second * keepSecond).addingProduct(scaled * scaled, SIMD8(repeating: takeSecond))
        let root = SIMD8(repeating: epsilon)
            .addingProduct(second.squareRoot(), SIMD8(repeating: rootFactor))
        parameter = (parameter * keepParameter)
            .addingProduct(first / root, SIMD8(repeating: -stepSize))
    }
}

@inline(__always)
private func eight(_ pointer: UnsafePointer<Float>) -> SIMD8<Float> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Float>.self)
}

@inline(__always)
private func store(_ value: SIMD8<Float>, _ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: SIMD8<Float>.self)
}
