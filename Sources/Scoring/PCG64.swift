/// The generator that `numpy.random.default_rng` makes: PCG XSL RR 128/64.
///
/// Source: O'Neill, "PCG", HMC-CS-2014-0905; numpy 2, random/src/pcg64 and distributions.c.
package struct PCG64 {
    private static let multiplier: UInt128 =
        0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645

    private var state: UInt128 = 0
    private let increment: UInt128
    /// The upper half of a draw whose lower half was used.
    private var kept: UInt32?

    /// Makes the generator that `numpy.random.default_rng(seed)` makes.
    package init(seed: UInt64) {
        let words = SeedSequence(seed).state(words: 4).map { UInt128($0) }
        increment = (words[2] << 64 | words[3]) << 1 | 1
        step()
        state &+= words[0] << 64 | words[1]
        step()
    }

    private mutating func step() { state = state &* Self.multiplier &+ increment }

    mutating func next() -> UInt64 {
        step()
        let mixed = UInt64(truncatingIfNeeded: state >> 64) ^ UInt64(truncatingIfNeeded: state)
        let turns = UInt64(truncatingIfNeeded: state >> 122)
        return mixed >> turns | mixed << ((64 &- turns) & 63)
    }

    private mutating func nextHalf() -> UInt32 {
        if let half = kept {
            kept = nil
            return half
        }
        let word = next()
        kept = UInt32(word >> 32)
        return UInt32(truncatingIfNeeded: word)
    }

    /// A number below a limit, each as likely as the others; below 1 nothing is drawn.
    ///
    /// Source: Lemire, "Fast random integer generation in an interval", ACM TOMACS 2019.
    package mutating func next(below limit: Int) -> Int {
        precondition((1..<1 << 32).contains(limit), "a limit of \(limit)")
        if limit == 1 { return 0 }
        let limit = UInt32(limit)
        var product = UInt64(nextHalf()) * UInt64(limit)
        if UInt32(truncatingIfNeeded: product) < limit {
            let threshold = (UInt32.max - (limit - 1)) % limit
            while UInt32(truncatingIfNeeded: product) < threshold {
                product = UInt64(nextHalf()) * UInt64(limit)
            }
        }
        return Int(product >> 32)
    }
}
