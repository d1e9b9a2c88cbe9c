import Testing
import Text

@Suite struct ShardTests {
    static let shard = Shard(
        samples: [7, 0], sources: [[5, 6, 2], [2]], targets: [[9, 8], []])

    @Test func `a shard survives the journey`() throws {
        let numbers = Self.shard.flattened
        #expect(numbers == [2, 7, 3, 2, 5, 6, 2, 9, 8, 0, 1, 0, 2])
        #expect(try Shard(flattened: numbers) == Self.shard)
        let empty = Shard(samples: [], sources: [], targets: [])
        #expect(try Shard(flattened: empty.flattened) == empty)
    }

    @Test func `every shard of an epoch survives the journey`() throws {
        let schedule = try BatchSchedule(
            corpus: BatchScheduleTests.corpus(500), batchTokens: 300, shards: 5, seed: 1)
        for step in 1...schedule.batchesPerEpoch {
            for shard in schedule.batch(step: step).shards {
                #expect(try Shard(flattened: shard.flattened) == shard)
            }
        }
    }

    @Test(
        arguments: [
            ([], 0, .truncated), ([-1], 0, .negative(-1)), ([1], 0, .tooMany(1, atMost: 0)),
            ([.max, 1, 1, 1], 0, .tooMany(.max, atMost: 1)), ([0, 5], 1, .trailing(1)),
            ([1, 0, 0, 0, 0], 4, .trailing(1)), ([1, -4, 1, 0, 5], 1, .negative(-4)),
            ([1, 0, .max, .max, 5], 2, .tooMany(.max, atMost: 1)),
            ([1, 0, -1, 1, 5], 2, .negative(-1)), ([1, 0, 2, 0, 5], 2, .tooMany(2, atMost: 1)),
            ([2, 0, 1, 0, 5, 6, 1, 1, 3, 3, 9], 10, .trailing(1)),
            ([1, 0, 1, 2, 5, 6], 3, .tooMany(2, atMost: 1)),
            ([1, 0, 1, 1, 5, -6], 5, .negative(-6)),
            ([2, 0, 1, 1, 5, 6, 0, 0, 1], 8, .tooMany(1, atMost: 0)),
        ] as [([Int32], Int, ShardFault)])
    func `numbers that are no shard are refused`(
        _ numbers: [Int32], _ position: Int, _ fault: ShardFault
    ) {
        #expect(throws: TextError.malformedShard(at: position, fault)) {
            try Shard(flattened: numbers)
        }
    }

    @Test func `20,000 damaged shards are refused or read, never trapped on`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("ShardTests seed: \(seed)")
        var random = Stream(state: seed)
        var read = 0
        for _ in 0..<20_000 {
            let numbers = Self.damaged(&random)
            guard let shard = try? Shard(flattened: numbers) else { continue }
            read += 1
            #expect(shard.flattened == numbers, "seed \(seed)")
        }
        #expect(read > 100, "seed \(seed)")
    }

    private static func damaged(_ random: inout Stream) -> [Int32] {
        if random.below(4) == 0 {
            return (0..<random.below(40)).map { _ in random.value() }
        }
        let count = random.below(5)
        var numbers = Shard(
            samples: (0..<count).map { _ in random.below(1000) },
            sources: (0..<count).map { _ in
                (0...random.below(6)).map { _ in Int32(random.below(99)) }
            },
            targets: (0..<count).map { _ in
                (0..<random.below(6)).map { _ in Int32(random.below(99)) }
            }
        ).flattened
        for _ in 0..<random.below(3) {
            let at = random.below(numbers.count)
            switch random.below(4) {
            case 0: numbers[at] = random.value()
            case 1: numbers.removeLast(min(numbers.count - 1, random.below(4)))
            case 2: numbers.insert(random.value(), at: at)
            default: numbers[at] = numbers[at] &+ Int32(random.below(3)) &- 1
            }
        }
        return numbers
    }

    private struct Stream {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
        mutating func value() -> Int32 {
            switch below(4) {
            case 0: Int32(below(8))
            case 1: Int32(below(8)) - 8
            case 2: [Int32.max, .min, .max - 1, 1 << 30, 1 << 16][below(5)]
            default: Int32(truncatingIfNeeded: next())
            }
        }
    }
}
