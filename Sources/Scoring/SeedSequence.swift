/// Spreads a seed over the state of a generator.
///
/// Source: numpy 2, random/bit_generator.pyx, SeedSequence (after O'Neill's seed_seq_fe128), for one
/// seed of 64 bits.
struct SeedSequence {
    private static let shift: UInt32 = 16

    private var pool: [UInt32] = []

    init(_ seed: UInt64) {
        let entropy = [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32), 0, 0]
        var multiplier: UInt32 = 0x43B0_D7E5
        func hashed(_ value: UInt32) -> UInt32 {
            var value = value ^ multiplier
            multiplier &*= 0x931E_8875
            value &*= multiplier
            return value ^ value >> Self.shift
        }
        func mixed(_ left: UInt32, _ right: UInt32) -> UInt32 {
            let value = left &* 0xCA01_F9DD &- right &* 0x4973_F715
            return value ^ value >> Self.shift
        }
        for value in entropy { pool.append(hashed(value)) }
        for source in pool.indices {
            for target in pool.indices where target != source {
                pool[target] = mixed(pool[target], hashed(pool[source]))
            }
        }
    }

    /// The first words of the state.
    func state(words: Int) -> [UInt64] {
        var multiplier: UInt32 = 0x8B51_F9DD
        let halves = (0..<2 * words).map { index in
            var value = pool[index % pool.count] ^ multiplier
            multiplier &*= 0x58F3_8DED
            value &*= multiplier
            return UInt64(value ^ value >> Self.shift)
        }
        return (0..<words).map { halves[2 * $0] | halves[2 * $0 + 1] << 32 }
    }
}
