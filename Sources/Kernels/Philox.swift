/// Counter-based random numbers: each 128-bit counter under a 64-bit key gives four 32-bit words.
///
/// No state: the same counter gives the same words whoever asks, in any order. Source: Salmon,
/// Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), Philox4x32-10.
package struct Philox: Sendable {
    private let key: (UInt32, UInt32)
    private let place: (UInt32, UInt32, UInt32)

    /// Words 1 to 3 of every counter are `place`; word 0 counts.
    package init(seed: UInt64, _ first: UInt32, _ second: UInt32, _ third: UInt32) {
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        place = (first, second, third)
    }

    static let multipliers: (UInt64, UInt64) = (0xD251_1F53, 0xCD9E_8D57)
    static let increments: (UInt32, UInt32) = (0x9E37_79B9, 0xBB67_AE85)

    /// The four words of counter `index`.
    package func words(_ index: UInt32) -> SIMD4<UInt32> {
        let wide = words(Words(repeating: UInt64(index)))
        return SIMD4(
            UInt32(truncatingIfNeeded: wide.0[0]), UInt32(truncatingIfNeeded: wide.1[0]),
            UInt32(truncatingIfNeeded: wide.2[0]), UInt32(truncatingIfNeeded: wide.3[0]))
    }

    typealias Words = SIMD4<UInt64>

    /// The words of four counters at once, each 32-bit word in a lane of 64 bits: so a product of
    /// two words is one multiplication.
    @inline(__always) func words(_ index: Words) -> (Words, Words, Words, Words) {
        let low = Words(repeating: 0xFFFF_FFFF)
        let shift = Words(repeating: 32)
        var x0 = index & low
        var x1 = Words(repeating: UInt64(place.0))
        var x2 = Words(repeating: UInt64(place.1))
        var x3 = Words(repeating: UInt64(place.2))
        var key = self.key
        for _ in 0..<10 {
            let a = (x0 & low) &* Words(repeating: Self.multipliers.0)
            let b = (x2 & low) &* Words(repeating: Self.multipliers.1)
            x0 = (b &>> shift) ^ x1 ^ Words(repeating: UInt64(key.0))
            x1 = b & low
            x2 = (a &>> shift) ^ x3 ^ Words(repeating: UInt64(key.1))
            x3 = a & low
            key.0 &+= Self.increments.0
            key.1 &+= Self.increments.1
        }
        return (x0, x1, x2, x3)
    }
}

/// Which elements dropout keeps: bit i is 1 with probability 1 - p, p in steps of 2⁻¹⁶.
package struct Dropout: Sendable {
    /// Of 2¹⁶ values so many drop an element.
    let threshold: UInt64

    /// Nearest probability that 16 bits can give to `probability` in [0, 1).
    package init(probability: Float) {
        precondition(probability >= 0 && probability < 1, "dropout \(probability)")
        threshold = UInt64(min((probability * 65536).rounded(), 65535))
    }

    package var isOff: Bool { threshold == 0 }

    /// 1 / (1 - p) with the p that is really used.
    package var scale: Float { 65536 / Float(65536 - threshold) }

    /// Fills `bits` from `random`: one counter gives eight bits, from the words' 16-bit halves.
    package func fill(_ bits: Bits, _ random: Philox) {
        let output = UnsafeMutableRawPointer(bits.base)
        for group in 0..<(bits.count + 63) / 64 {
            let first = UInt64(truncatingIfNeeded: 8 * group)
            let low = kept(random.words(Philox.Words(first, first + 1, first + 2, first + 3)))
            let high = kept(random.words(Philox.Words(first + 4, first + 5, first + 6, first + 7)))
            output.storeBytes(of: low | high << 32, toByteOffset: 8 * group, as: UInt64.self)
        }
    }

    /// A byte for each of four counters: bit j is 1 where half j is not below the threshold.
    ///
    /// The difference's high bits are all 1 if it is negative: bit 32 + j stands for half j.
    @inline(__always) private func kept(
        _ words: (Philox.Words, Philox.Words, Philox.Words, Philox.Words)
    ) -> UInt64 {
        let limit = Philox.Words(repeating: threshold)
        let half = Philox.Words(repeating: 0xFFFF)
        let shift = Philox.Words(repeating: 16)
        var dropped = Philox.Words.zero
        @inline(__always) func take(_ word: Philox.Words, _ first: UInt64) {
            dropped |= ((word & half) &- limit) & Philox.Words(repeating: first << 32)
            dropped |= ((word &>> shift) &- limit) & Philox.Words(repeating: first << 33)
        }
        take(words.0, 1)
        take(words.1, 4)
        take(words.2, 16)
        take(words.3, 64)
        let bytes = dropped &>> Philox.Words(repeating: 32)
        let all = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | bytes[3] << 24
        return all ^ 0xFFFF_FFFF
    }
}

extension Bits {
    /// `scale` where the bit is 1, else 0, for the eight elements from `index` on, at any index.
    ///
    /// Comparing floats is one instruction, comparing integers a loop: so bit j of the byte makes a
    /// number above 1 in lane j.
    @inline(__always) func factors(_ index: Int, _ scale: Float) -> Wide {
        let pair = UnsafeRawPointer(base + index >> 3).loadUnaligned(as: UInt16.self)
        let byte = UInt32(pair) &>> UInt32(truncatingIfNeeded: index & 7)
        let bit = SIMD8<UInt32>(1, 2, 4, 8, 16, 32, 64, 128)
        let number = SIMD8<UInt32>(repeating: byte) & bit | SIMD8(repeating: 0x3F80_0000)
        return Wide.zero.replacing(with: scale, where: unsafeBitCast(number, to: Wide.self) .> 1)
    }
}
