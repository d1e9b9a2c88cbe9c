/// e^x in every lane, within 2 ulp for x in [-87, 88]; smaller and larger x are clamped to that.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2; e^x = 2ⁿ·e^r, e^r by a polynomial of degree 6. Adding 1.5·2²³
/// rounds to an integer and leaves it in the lowest bits, so no conversion is needed.
/// Source: Cephes mathematical library (Moshier), expf.
@inline(__always) func exponential(_ value: Wide) -> Wide {
    var x = value.replacing(with: -87, where: value .< -87)
    x = x.replacing(with: 88, where: x .> 88)
    let magic = Wide(repeating: 12_582_912)
    let shifted = magic.addingProduct(x, Wide(repeating: 1.442_695_04))
    let n = shifted - magic
    var r = x.addingProduct(n, Wide(repeating: -0.693_359_375))
    r = r.addingProduct(n, Wide(repeating: 2.121_944_4e-4))
    var p = Wide(repeating: 1.987_569_15e-4)
    p = Wide(repeating: 1.398_199_95e-3).addingProduct(p, r)
    p = Wide(repeating: 8.333_451_9e-3).addingProduct(p, r)
    p = Wide(repeating: 4.166_579_6e-2).addingProduct(p, r)
    p = Wide(repeating: 1.666_666_55e-1).addingProduct(p, r)
    p = Wide(repeating: 0.5).addingProduct(p, r)
    p = (r + 1).addingProduct(p, r * r)
    let integer = unsafeBitCast(shifted, to: SIMD8<Int32>.self)
    let power = (integer &- 0x4B40_0000 &+ 127) &<< 23
    return p * unsafeBitCast(power, to: Wide.self)
}

/// Returns 1 / (1 + e^-x) in every lane, within 4 ulp for x in [-87, 88].
@inline(__always) func sigmoid(_ x: Wide) -> Wide {
    1 / (1 + exponential(-x))
}

/// tanh x = 1 - 2 / (e^2x + 1) in every lane, absolute error below 2e-7.
@inline(__always) func hyperbolicTangent(_ x: Wide) -> Wide {
    1 - 2 / (exponential(x + x) + 1)
}

/// The error function in every lane, absolute error below 5e-7.
///
/// x·P(x²)/Q(x²) on [-4, 4], where erf is ±1 to float32 outside.
/// Source: Eigen, MathFunctionsImpl.h, generic_fast_erf_float (as in XLA).
@inline(__always) func errorFunction(_ value: Wide) -> Wide {
    var x = value.replacing(with: -4, where: value .< -4)
    x = x.replacing(with: 4, where: x .> 4)
    let s = x * x
    var p = Wide(repeating: -2.726_142_258_013_06e-10)
    p = Wide(repeating: 2.770_681_424_959_02e-08).addingProduct(p, s)
    p = Wide(repeating: -2.101_024_020_825_08e-06).addingProduct(p, s)
    p = Wide(repeating: -5.692_506_394_623_46e-05).addingProduct(p, s)
    p = Wide(repeating: -7.349_906_303_268_55e-04).addingProduct(p, s)
    p = Wide(repeating: -2.954_599_808_540_25e-03).addingProduct(p, s)
    p = Wide(repeating: -1.609_603_332_624_15e-02).addingProduct(p, s)
    var q = Wide(repeating: -1.456_607_184_649_96e-05)
    q = Wide(repeating: -2.133_740_552_789_05e-04).addingProduct(q, s)
    q = Wide(repeating: -1.682_826_974_382_03e-03).addingProduct(q, s)
    q = Wide(repeating: -7.373_329_167_204_68e-03).addingProduct(q, s)
    q = Wide(repeating: -1.426_473_905_141_89e-02).addingProduct(q, s)
    return x * p / q
}
