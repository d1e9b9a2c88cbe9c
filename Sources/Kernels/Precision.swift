import CKernels

/// The format that the operands of matrix products are rounded to. All else is float32: sums,
/// norms, softmax, loss, parameters and moments.
///
/// Source: Kalamkar et al., "A study of bfloat16 for deep learning training" (2019), section 3.
package enum Precision: String, Sendable, CaseIterable {
    /// No rounding: operands are what they are.
    case f32
    /// bfloat16, the upper half of a float32: see `rounded`.
    case bf16

    /// Whether products are quicker if operands that are used again are kept rounded.
    package var keepsCopies: Bool { self == .bf16 && Instructions.chosen.isWide }
}

/// Returns each lane rounded to the nearest bfloat16, of two as near the even one; +0 below 2⁻⁵⁶.
///
/// So no product and no sum of products is ever subnormal, and processors that flush subnormals have the
/// bits of those that do not: the proof stands in `product_bf16.c`. What is not a number stays so.
@inline(__always) func rounded(_ x: Wide) -> Wide {
    let bits = unsafeBitCast(x, to: SIMD8<UInt32>.self)
    let upper = SIMD8<UInt32>(repeating: 0xFFFF_0000)
    let odd = (bits &>> 16) & 1
    var result = unsafeBitCast((bits &+ 0x7FFF &+ odd) & upper, to: Wide.self)
    let quiet = unsafeBitCast((bits | 0x40_0000) & upper, to: Wide.self)
    // Squares of eight bits are exact, and of 2⁻⁵⁶ far from subnormal.
    result = result.replacing(with: 0, where: result * result .< 0x1p-112)
    return result.replacing(with: quiet, where: x .!= x)
}

/// into[i] ← from[i] rounded to bfloat16.
package func round(
    _ from: UnsafePointer<Float>, into: UnsafeMutablePointer<UInt16>, count: Int,
    _ instructions: Instructions = .chosen
) {
    guard !instructions.isWide else { return dtrain_round_avx512(from, into, count) }
    let from = UnsafeMutablePointer(mutating: from)
    @inline(__always) func halves(_ x: Wide) -> SIMD8<UInt16> {
        SIMD8(truncatingIfNeeded: unsafeBitCast(rounded(x), to: SIMD8<UInt32>.self) &>> 16)
    }
    sweep(
        count,
        whole: {
            UnsafeMutableRawPointer(into + $0).storeBytes(
                of: halves(from.wide($0)), as: SIMD8<UInt16>.self)
        },
        part: {
            let rest = halves(from.part($0, $1))
            for lane in 0..<$1 { into[$0 + lane] = rest[lane] }
        })
}
