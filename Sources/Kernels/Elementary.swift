/// Elementary functions of float64, in fixed order and with fused multiply-adds where they are written.
///
/// A C library chooses others by the processor and changes them from release to release; these give the
/// same bits everywhere. Errors are against 128-bit references, in units in the last place (ulp) of
/// the result; `Tests/Golden/functions.tsv` has the references. Source of methods and constants: Sun
/// Microsystems, fdlibm 5.3 (e_log.c, e_exp.c, k_sin.c, k_cos.c, e_rem_pio2.c).
package enum Elementary {
    /// ln x, within 0.9 ulp; −∞ of 0, NaN below.
    package static func logarithm(_ x: Double) -> Double {
        guard x > 0, x < .infinity else { return x == 0 ? -.infinity : x > 0 ? x : .nan }
        // x = 2ᵏ·(1 + f), 1 + f from √½ to √2.
        let isSmall = x < Double.leastNormalMagnitude
        let bits = (isSmall ? x * 0x1p54 : x).bitPattern
        let shifted = bits &+ (0x3FF0_0000_0000_0000 &- 0x3FE6_A09E_667F_3BCD)
        let k = Double(Int64(bitPattern: shifted >> 52) - 1023 - (isSmall ? 54 : 0))
        let mantissa = (shifted & 0x000F_FFFF_FFFF_FFFF) &+ 0x3FE6_A09E_667F_3BCD
        let f = Double(bitPattern: mantissa) - 1
        let half = 0.5 * f * f
        let s = f / (2 + f)
        let z = s * s
        var p = 1.479_819_860_511_658_591e-01
        p = 1.531_383_769_920_937_332e-01.addingProduct(p, z)
        p = 1.818_357_216_161_805_012e-01.addingProduct(p, z)
        p = 2.222_219_843_214_978_396e-01.addingProduct(p, z)
        p = 2.857_142_874_366_239_149e-01.addingProduct(p, z)
        p = 3.999_999_999_940_941_908e-01.addingProduct(p, z)
        p = 6.666_666_666_666_735_130e-01.addingProduct(p, z)
        let low = (k * log2Low).addingProduct(s, half + z * p)
        return (k * log2High) - ((half - low) - f)
    }

    /// ln x in float32, within 0.5001 ulp: rounded from that in float64.
    package static func logarithm(_ x: Float) -> Float { Float(logarithm(Double(x))) }

    /// e^x, within 0.9 ulp; 0 and ∞ past what float64 can hold.
    package static func exponential(_ x: Double) -> Double {
        guard x < 709.782_712_893_384 else { return x.isNaN ? x : .infinity }
        guard x > -745.133_219_101_942 else { return x.isNaN ? x : 0 }
        // x = k·ln 2 + r, |r| ≤ ½·ln 2; adding 1.5·2⁵² rounds.
        let k = (magic + x * 1.442_695_040_888_963_387_00) - magic
        let high = x.addingProduct(-k, log2High)
        let low = k * log2Low
        let r = high - low
        let z = r * r
        var p = 4.138_136_797_057_238_460_39e-08
        p = (-1.653_390_220_546_525_153_90e-06).addingProduct(p, z)
        p = 6.613_756_321_437_934_361_17e-05.addingProduct(p, z)
        p = (-2.777_777_777_701_559_338_42e-03).addingProduct(p, z)
        p = 1.666_666_666_666_660_190_37e-01.addingProduct(p, z)
        let c = r - z * p
        let power = 1 - ((low - (r * c) / (2 - c)) - high)
        // 2ᵏ in two factors, so that each is a normal number.
        let whole = Int64(k)
        let first = whole >> 1
        return power * twoTo(first) * twoTo(whole - first)
    }

    /// sin x, within 0.9 ulp, for |x| up to 2²⁰.
    package static func sine(_ x: Double) -> Double {
        let (quadrant, high, low) = reduced(x)
        let value = quadrant & 1 == 0 ? sineNearZero(high, low) : cosineNearZero(high, low)
        return quadrant & 2 == 0 ? value : -value
    }

    /// cos x, within 0.9 ulp, for |x| up to 2²⁰.
    package static func cosine(_ x: Double) -> Double {
        let (quadrant, high, low) = reduced(x)
        let value = quadrant & 1 == 0 ? cosineNearZero(high, low) : sineNearZero(high, low)
        return (quadrant + 1) & 2 == 0 ? value : -value
    }

    /// xⁿ for x from 0 to 1, within 0.501 ulp where that is above 10⁻²⁵⁰: products of pairs of float64.
    package static func power(_ x: Double, _ exponent: Int) -> Double {
        precondition(x >= 0 && x <= 1 && exponent >= 0, "\(x) to the power of \(exponent)")
        var result = (high: 1.0, low: 0.0)
        var factor = (high: x, low: 0.0)
        var left = exponent
        while left > 0 {
            if left & 1 == 1 { result = product(result, factor) }
            left >>= 1
            if left > 0 { factor = product(factor, factor) }
        }
        return result.high
    }

    /// xʸ = e^(y·ln x) for x above 0, within 2 + |y·ln x| ulp; x itself for y = 1.
    package static func power(_ x: Double, _ exponent: Double) -> Double {
        exponent == 1 ? x : exponential(exponent * logarithm(x))
    }

    // MARK: Parts

    /// ln 2, the first with 32 bits, so that its product with an exponent is exact.
    private static let log2High = 6.931_471_803_691_238_164_90e-01
    private static let log2Low = 1.908_214_929_270_587_700_02e-10
    private static let magic = 6_755_399_441_055_744.0

    private static func twoTo(_ exponent: Int64) -> Double {
        Double(bitPattern: UInt64(bitPattern: exponent + 1023) << 52)
    }

    /// x = n·π/2 + (high + low), |high| ≤ π/4; π/2 in three parts of 33 bits and a rest.
    private static func reduced(_ x: Double) -> (quadrant: Int, high: Double, low: Double) {
        precondition(abs(x) <= 0x1p20, "the sine of \(x)")
        let n = (magic + x * 6.366_197_723_675_813_824_33e-01) - magic
        let first = x - n * 1.570_796_326_734_125_614_17e+00
        var part = n * 6.077_100_506_303_965_976_60e-11
        let second = first - part
        var rest = (first - second) - part
        part = n * 2.022_266_248_711_166_455_80e-21
        let third = second - part
        rest += (second - third) - part
        rest -= n * 8.478_427_660_368_899_569_97e-32
        let high = third + rest
        return (Int(n), high, (third - high) + rest)
    }

    private static func sineNearZero(_ x: Double, _ low: Double) -> Double {
        let z = x * x
        var p = 1.589_690_995_211_550_102_21e-10
        p = (-2.505_076_025_340_686_341_95e-08).addingProduct(p, z)
        p = 2.755_731_370_707_006_767_89e-06.addingProduct(p, z)
        p = (-1.984_126_982_985_794_931_34e-04).addingProduct(p, z)
        p = 8.333_333_333_322_489_461_24e-03.addingProduct(p, z)
        let cube = z * x
        let bend = z * (0.5 * low - cube * p) - low
        return x - (bend - cube * -1.666_666_666_666_663_243_48e-01)
    }

    private static func cosineNearZero(_ x: Double, _ low: Double) -> Double {
        let z = x * x
        var p = -1.135_964_755_778_819_482_65e-11
        p = 2.087_572_321_298_174_827_90e-09.addingProduct(p, z)
        p = (-2.755_731_435_139_066_330_35e-07).addingProduct(p, z)
        p = 2.480_158_728_947_672_941_78e-05.addingProduct(p, z)
        p = (-1.388_888_888_887_410_957_49e-03).addingProduct(p, z)
        p = 4.166_666_666_666_660_190_37e-02.addingProduct(p, z)
        let half = 0.5 * z
        let most = 1 - half
        return most + (((1 - most) - half) + (z * (z * p) - x * low))
    }

    private typealias Pair = (high: Double, low: Double)

    /// The product of two unevaluated sums, with about 104 bits. Source: Dekker (1971).
    private static func product(_ a: Pair, _ b: Pair) -> Pair {
        let whole = a.high * b.high
        let rest = (-whole).addingProduct(a.high, b.high)
            .addingProduct(a.high, b.low).addingProduct(a.low, b.high)
        let high = whole + rest
        return (high, rest - (high - whole))
    }
}
