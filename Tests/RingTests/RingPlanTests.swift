import Ring
import Testing

@Suite struct RingPlanTests {
    @Test(arguments: Schedule.allCases)
    func `chunks cover the vector once, from each segment's end`(schedule: Schedule) throws {
        for workers in 1...9 {
            for count in [0, 1, 2, 7, 64, 65, 1000] {
                for chunk in [1, 3, 64, 5000] {
                    let plan = try RingPlan(
                        rank: 0, shardBounds: Array(0...workers), count: count,
                        chunkElements: chunk, collective: schedule.collective,
                        inPlace: schedule == .inPlace)
                    var covered = [Int](repeating: 0, count: count)
                    for index in 0..<plan.chunks {
                        let elements = plan.elements(ofChunk: index)
                        #expect(!elements.isEmpty && elements.count <= chunk)
                        for element in elements { covered[element] += 1 }
                        let segment = plan.segment(ofChunk: index)
                        if index > plan.chunkBounds[segment] {
                            let before = plan.elements(ofChunk: index - 1)
                            let between = schedule == .inPlace ? (workers - 1) * chunk : 0
                            #expect(before.lowerBound == elements.upperBound + between)
                        }
                    }
                    #expect(covered.allSatisfy { $0 == 1 })
                }
            }
        }
    }

    @Test(arguments: [Schedule.ring, .inPlace])
    func `each rank begins one segment of the textbook ring or a fold in place and ends another`(
        schedule: Schedule
    ) throws {
        for workers in 1...9 {
            for segment in 0..<workers {
                let positions = try (0..<workers).map { rank in
                    try RingPlan(
                        rank: rank, shardBounds: Array(0...workers), count: 100,
                        chunkElements: 10, collective: schedule.collective,
                        inPlace: schedule == .inPlace
                    ).position(inSegment: segment)
                }
                #expect(positions.sorted() == Array(0..<workers))
                #expect(positions[(segment + 1) % workers] == 0)
                #expect(positions[segment] == workers - 1)
            }
        }
    }

    @Test func `what cannot be planned is refused`() {
        func plan(_ rank: Int, _ bounds: [Int], _ count: Int, _ chunk: Int) throws -> RingPlan {
            try RingPlan(
                rank: rank, shardBounds: bounds, count: count, chunkElements: chunk,
                collective: .fold)
        }
        for bounds in [[], [0], [1, 2], [0, 0], [0, 3, 3], [0, 4, 2]] {
            #expect(throws: RingPlanError.shardBounds(bounds)) { try plan(0, bounds, 1, 1) }
        }
        #expect(throws: RingPlanError.rank(2, workers: 2)) { try plan(2, [0, 1, 2], 1, 1) }
        #expect(throws: RingPlanError.rank(-1, workers: 2)) { try plan(-1, [0, 1, 2], 1, 1) }
        #expect(throws: RingPlanError.count(-1)) { try plan(0, [0, 1], -1, 1) }
        #expect(throws: RingPlanError.chunkElements(0)) { try plan(0, [0, 1], 1, 0) }
        #expect(throws: RingPlanError.tooManyChunks(1 << 40)) { try plan(0, [0, 1], 1 << 40, 1) }
    }

    @Test func `own gradients are summed in order at any alignment`() {
        let gradients = gradients(3, 5001, seed: 3)
        let sum = ChunkSum(gradients)
        var space = [UInt8](repeating: 0, count: 4 * 5001 + 8)
        for (range, shift) in [(0..<5001, 0), (17..<4999, 1), (100..<101, 3), (5..<5, 2)] {
            space.withUnsafeMutableBytes { bytes in
                sum.sum(range, onto: nil, into: bytes.baseAddress! + shift)
                sum.sum(range, onto: bytes.baseAddress! + shift, into: bytes.baseAddress! + shift)
                for (index, element) in range.enumerated() {
                    let g = gradients.map { $0[element] }
                    let once = (g[0] + g[1]) + g[2]
                    let expected = ((once + g[0]) + g[1]) + g[2]
                    let found = bytes.loadUnaligned(
                        fromByteOffset: shift + 4 * index, as: Float.self)
                    #expect(found.bitPattern == expected.bitPattern)
                }
            }
        }
    }
}
