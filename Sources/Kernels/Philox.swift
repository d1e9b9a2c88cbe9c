import CKernels

/// Counter-based random numbers: each 128-bit counter under a 64-bit key gives four 32-bit words.
///
/// No state: the same counter gives the same words to every caller, in any order. Source: Salmon,
/// Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), Philox4x32-10.
package struct Philox: Sendable {
    fileprivate let key: (UInt32, UInt32)
    fileprivate let place: (UInt32, UInt32, UInt32)

    /// Makes numbers under a key; words 1 to 3 of every counter are those given, word 0 counts.
    package init(seed: UInt64, _ first: UInt32, _ second: UInt32, _ third: UInt32) {
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        place = (first, second, third)
    }

    /// Returns the four words of counter `index`.
    package func words(_ index: UInt32) -> SIMD4<UInt32> { eight(from: UInt64(index)).0[0] }

    /// Calls `body` with the words of every counter from 0 to `count` - 1, in order; eight at a time are as
    /// cheap as one.
    package func forEach(_ count: Int, _ body: (_ index: Int, _ words: SIMD4<UInt32>) -> Void) {
        for first in stride(from: 0, to: count, by: 8) {
            let quads = eight(from: UInt64(first))
            for index in first..<min(first + 8, count) {
                let quad = index - first < 4 ? quads.0 : quads.1
                body(index, quad[(index - first) & 3])
            }
        }
    }

    /// Returns the words of counters first... first + 7, four at a time. One such chain of rounds
    /// waits for its products, two in step keep the multiplier busy.
    @inline(__always) func eight(from first: UInt64) -> (PhiloxQuad, PhiloxQuad) {
        var low = PhiloxQuad(first, place)
        var high = PhiloxQuad(first + 4, place)
        var key = self.key
        for _ in 0..<10 {
            let keys = (
                PhiloxQuad.Words(repeating: UInt64(key.0)),
                PhiloxQuad.Words(repeating: UInt64(key.1))
            )
            low.round(keys)
            high.round(keys)
            key.0 &+= 0x9E37_79B9
            key.1 &+= 0xBB67_AE85
        }
        return (low, high)
    }
}

/// The words of four counters at once, each 32-bit word in a lane of 64 bits: so a product of two
/// words is one multiplication.
struct PhiloxQuad {
    typealias Words = SIMD4<UInt64>
    var word0, word1, word2, word3: Words

    @inline(__always) init(_ first: UInt64, _ place: (UInt32, UInt32, UInt32)) {
        word0 = Words(repeating: first) &+ Words(0, 1, 2, 3)
        word1 = Words(repeating: UInt64(place.0))
        word2 = Words(repeating: UInt64(place.1))
        word3 = Words(repeating: UInt64(place.2))
    }

    /// The words of one of the four counters.
    @inline(__always) subscript(lane: Int) -> SIMD4<UInt32> {
        SIMD4(truncatingIfNeeded: Words(word0[lane], word1[lane], word2[lane], word3[lane]))
    }

    @inline(__always) mutating func round(_ keys: (Words, Words)) {
        let low = Words(repeating: 0xFFFF_FFFF)
        let shift = Words(repeating: 32)
        let a = (word0 & low) &* Words(repeating: 0xD251_1F53)
        let b = (word2 & low) &* Words(repeating: 0xCD9E_8D57)
        word0 = (b &>> shift) ^ word1 ^ keys.0
        word1 = b & low
        word2 = (a &>> shift) ^ word3 ^ keys.1
        word3 = a & low
    }
}

/// The bits that tell which elements dropout keeps: bit i is 1 with
/// probability 1 - p, p in steps of 2⁻¹⁶.
package struct Dropout: Sendable {
    /// The number of the 2¹⁶ values that drop an element.
    let threshold: UInt64

    /// Takes the probability nearest to `probability`, in [0, 1), that 16 bits can give.
    package init(probability: Float) {
        precondition(probability >= 0 && probability < 1, "dropout \(probability)")
        threshold = UInt64(min((probability * 65536).rounded(), 65535))
    }

    /// Whether every element is kept.
    package var isOff: Bool { threshold == 0 }

    /// The factor 1 / (1 - p) with the p that is really used.
    package var scale: Float { 65536 / Float(65536 - threshold) }

    /// Fills `bits` from `random`: one counter gives eight bits, from the words' 16-bit halves.
    package func fill(_ bits: Bits, _ random: Philox) {
        let output = UnsafeMutableRawPointer(bits.base)
        let groups = (bits.count + 63) / 64
        guard !Instructions.chosen.isWide else {
            var wide = dtrain_philox(key: random.key, place: random.place)
            return dtrain_dropout_bits(&wide, threshold, bits.base, groups)
        }
        for group in 0..<groups {
            let (low, high) = random.eight(from: UInt64(truncatingIfNeeded: 8 * group))
            let all = kept(low) | kept(high) << 32
            output.storeBytes(of: all, toByteOffset: 8 * group, as: UInt64.self)
        }
    }

    /// Returns a byte for each of four counters: bit j is 1 where half
    /// j is not below the threshold.
    ///
    /// The difference's high bits are all 1 if it is negative: bit 32 + j stands for half j.
    @inline(__always) private func kept(_ quad: PhiloxQuad) -> UInt64 {
        let limit = PhiloxQuad.Words(repeating: threshold)
        let half = PhiloxQuad.Words(repeating: 0xFFFF)
        let shift = PhiloxQuad.Words(repeating: 16)
        @inline(__always) func dropped(_ word: PhiloxQuad.Words, _ bit: UInt64) -> PhiloxQuad.Words
        {
            let first = ((word & half) &- limit) & PhiloxQuad.Words(repeating: bit << 32)
            let second = ((word &>> shift) &- limit) & PhiloxQuad.Words(repeating: bit << 33)
            return first | second
        }
        let pairs = (
            dropped(quad.word0, 1) | dropped(quad.word1, 4),
            dropped(quad.word2, 16) | dropped(quad.word3, 64)
        )
        let bytes = (pairs.0 | pairs.1) &>> PhiloxQuad.Words(repeating: 32)
        return (bytes[0] | bytes[1] << 8 | bytes[2] << 16 | bytes[3] << 24) ^ 0xFFFF_FFFF
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
