/// A small generator of which every seed gives one fixed stream, on every machine and release.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct SplitMix64 {
    private var state: UInt64

    /// The stream of a seed and of whatever else distinguishes it, such as an epoch.
    init(seed: UInt64, stream: UInt64) {
        state =
            Self.mix(seed &+ 0x9e37_79b9_7f4a_7c15) ^ Self.mix(stream &* 0xd134_2543_de82_ef95 &+ 1)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// A number in `0..<bound`, every one equally likely (Lemire 2019, with rejection).
    mutating func next(below bound: Int) -> Int {
        precondition(bound > 0, "a bound of \(bound)")
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }

    /// The numbers `0..<count` in an order of their own (Fisher and Yates).
    mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, next(below: last + 1))
        }
        return order
    }
}
