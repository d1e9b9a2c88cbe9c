/// Rounds numbers to a wire format, up or down at random, so that the expectation is the number.
///
/// The random bits are a function of (seed, step, node, index) alone: nothing is kept from step to
/// step, and who rounds, in which chunk or thread, does not matter. Rounding what is rounded
/// already changes nothing, whatever the key: so it may be done again before numbers travel.
///
/// Source: Gupta et al., "Deep Learning with Limited Numerical Precision", ICML 2015, section 3.1.
package struct StochasticRounding: Sendable, Equatable {
    /// The format that numbers are rounded to; float32 leaves them as they are.
    package let format: WireFormat
    private let key: UInt64

    /// Makes the rounding of one step; all workers of a run give the same seed.
    package init(_ format: WireFormat, seed: UInt64, step: UInt64) {
        self.format = format
        key = Self.mix(Self.mix(seed) ^ step)
    }

    /// Rounds float32 in place.
    ///
    /// - Parameters:
    ///   - first: index in the whole vector of the first element; it begins a block.
    ///   - node: the shard whose gradient was added last.
    package func round(
        _ floats: UnsafeMutableRawPointer, _ count: Int, first: Int, node: Int
    ) {
        let key = Self.mix(key ^ UInt64(node))
        switch format {
        case .f32: break
        case .bf16:
            var index = 0
            while index < count {
                Self.half(floats, index, min(8, count - index), first, key)
                index += 8
            }
        case .int8:
            precondition(first.isMultiple(of: WireFormat.block), "element \(first) in a block")
            var index = 0
            while index < count {
                Self.block(floats, index, min(WireFormat.block, count - index), first, key)
                index += WireFormat.block
            }
        }
    }

    // MARK: Formats

    @inline(__always)
    private static func half(
        _ floats: UnsafeMutableRawPointer, _ index: Int, _ count: Int, _ first: Int, _ key: UInt64
    ) {
        let bits = load(floats, index, count)
        let rounded = (bits &+ (random(first + index, key) & 0xFFFF)) & 0xFFFF_0000
        let exponent: SIMD8<UInt32> = .init(repeating: 0x7F80_0000)
        let special = (bits & exponent) .== exponent
        // A NaN whose upper half has no mantissa would become infinite.
        let quiet =
            bits
            | (SIMD8(repeating: 0).replacing(
                with: 0x0040_0000, where: (bits & 0x7F_FFFF) .!= 0))
        store(
            rounded.replacing(with: quiet & 0xFFFF_0000, where: special), floats, index, count)
    }

    @inline(__always)
    private static func block(
        _ floats: UnsafeMutableRawPointer, _ start: Int, _ count: Int, _ first: Int, _ key: UInt64
    ) {
        var largest = SIMD8<UInt32>(repeating: 0)
        var index = 0
        while index < count {
            let magnitude = load(floats, start + index, min(8, count - index)) & 0x7FFF_FFFF
            largest.replace(with: magnitude, where: magnitude .> largest)
            index += 8
        }
        let exponent = BlockScale.exponent(largest: largest.max())
        let scale = exponent == 255 ? .nan : BlockScale.scale(exponent)
        let inverse = exponent == 255 ? 0 : BlockScale.inverse(exponent)
        index = 0
        while index < count {
            let lanes = min(8, count - index)
            let bits = load(floats, start + index, lanes)
            // 16 random bits: with more, a whole number plus almost one would round to the next.
            let random = random(first + start + index, key) & 0xFFFF
            let share = SIMD8<Float>(random) * 0x1p-16
            let values = unsafeBitCast(bits, to: SIMD8<Float>.self)
            var whole = (values * inverse + share).rounded(.down)
            whole.replace(with: 127, where: whole .> 127)
            store(
                unsafeBitCast(whole * scale, to: SIMD8<UInt32>.self), floats, start + index, lanes)
            index += 8
        }
    }

    // MARK: Eight at a time

    @inline(__always)
    private static func load(
        _ floats: UnsafeMutableRawPointer, _ index: Int, _ count: Int
    ) -> SIMD8<UInt32> {
        if count == 8 {
            return floats.loadUnaligned(fromByteOffset: 4 * index, as: SIMD8<UInt32>.self)
        }
        var bits = SIMD8<UInt32>(repeating: 0)
        for lane in 0..<count {
            bits[lane] = floats.loadUnaligned(
                fromByteOffset: 4 * (index + lane), as: UInt32.self)
        }
        return bits
    }

    @inline(__always)
    private static func store(
        _ bits: SIMD8<UInt32>, _ floats: UnsafeMutableRawPointer, _ index: Int, _ count: Int
    ) {
        if count == 8 {
            floats.storeBytes(of: bits, toByteOffset: 4 * index, as: SIMD8<UInt32>.self)
            return
        }
        for lane in 0..<count {
            floats.storeBytes(
                of: bits[lane], toByteOffset: 4 * (index + lane), as: UInt32.self)
        }
    }

    /// 32 random bits for each of eight elements: two rounds of xorshift and multiply over the
    /// index and both halves of the key.
    @inline(__always)
    private static func random(_ first: Int, _ key: UInt64) -> SIMD8<UInt32> {
        let low = UInt32(truncatingIfNeeded: key)
        let high = UInt32(truncatingIfNeeded: key >> 32) ^ UInt32(truncatingIfNeeded: first >> 32)
        let lanes = SIMD8<UInt32>(0, 1, 2, 3, 4, 5, 6, 7)
        var x = (lanes &+ UInt32(truncatingIfNeeded: first)) ^ low
        x = (x ^ (x &>> 16)) &* 0x21F0_AAAD
        x = (x ^ (x &>> 15)) &+ high
        x = (x ^ (x &>> 16)) &* 0x735A_2D97
        return x ^ (x &>> 15)
    }

    /// SplitMix64's finish.
    private static func mix(_ word: UInt64) -> UInt64 {
        var z = word &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
