import Foundation

/// Random damage to bytes that a test can do again: the seed is printed, DTRAIN_FUZZ_SEED repeats it.
///
/// DTRAIN_FUZZ_ROUNDS sets how many inputs each test takes; `cluster/fuzz` takes a million.
package struct Fuzzer: RandomNumberGenerator {
    private var state: UInt64
    private let fragments: [[UInt8]]

    /// Inputs of a test.
    package static let rounds = setting("DTRAIN_FUZZ_ROUNDS").map { Int($0) } ?? 20_000

    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    /// `fragments` are what the format is made of: they are put anywhere.
    package init(_ name: String, fragments: [[UInt8]] = Fuzzer.numbers) {
        let seed = Self.setting("DTRAIN_FUZZ_SEED") ?? UInt64.random(in: 0..<1_000_000_000)
        print("fuzzing \(name) with DTRAIN_FUZZ_SEED=\(seed), \(Self.rounds) inputs")
        state = seed
        self.fragments = fragments
    }

    /// Little-endian numbers at the edges of what they can be.
    package static let numbers: [[UInt8]] = [
        [0, 0, 0, 0], [255, 255, 255, 255], [255, 255, 255, 127], [0, 0, 0, 128], [1, 0, 0, 0],
        [255, 255, 255, 255, 255, 255, 255, 255], [0, 0, 0, 0, 0, 0, 0, 128], [0xC3], [2],
    ]

    /// SplitMix64 (Steele, Lea, Flood 2014).
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    package mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    /// True so many times in a hundred.
    package mutating func chance(_ percent: Int) -> Bool { number(0...99) < percent }

    /// The bytes with one to four changes.
    package mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<number(1...4) {
            let place = number(0...bytes.count)
            let end = min(bytes.count, place + number(0...12))
            switch number(0...5) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(number(0...7))
            case 1 where place < bytes.count: bytes[place] = UInt8(number(0...255))
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 4: bytes.insert(contentsOf: fragments[number(0...fragments.count - 1)], at: place)
            default:
                bytes.replaceSubrange(
                    place..<end, with: fragments[number(0...fragments.count - 1)])
            }
        }
        return bytes
    }

    /// How many bytes there are before the first that was altered.
    package static func intact(_ bytes: [UInt8], _ altered: [UInt8]) -> Int {
        zip(bytes, altered).prefix { $0 == $1 }.count
    }
}
