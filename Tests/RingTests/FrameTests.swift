import Parameters
import Ring
import Testing
import Wire

@Suite struct FrameTests {
    private static let generation = Generation(epoch: 1, counter: 2)

    private func frame(_ body: FrameHeader.Body, elements: Int = 0) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xA5, count: FrameHeader.byteCount + 4 * elements)
        bytes.withUnsafeMutableBytes {
            FrameHeader(run: 9, generation: Self.generation, step: 77, body: body).seal($0)
        }
        return bytes
    }

    private func read(_ bytes: [UInt8]) throws(FrameError) -> FrameHeader {
        let result = bytes.withUnsafeBytes { content in
            Result { () throws(FrameError) in try FrameHeader(content) }
        }
        return try result.get()
    }

    private var greeting: [UInt8] {
        FrameHeader(
            run: 9, generation: Self.generation, step: 0, body: .greeting(rank: 4, plan: .max)
        ).sealed(attaching: [1, 2, 3, 4, 5])
    }

    private func inMemory(_ piece: FrameHeader.Piece) -> [UInt8] {
        var header = FrameHeader(
            run: 9, generation: Self.generation, step: 77, body: .partial(piece))
        header.place = .memory
        header.digest = FastDigest(high: 5, low: 6)
        return header.sealed()
    }

    private var samples: [[UInt8]] {
        let piece = FrameHeader.Piece(
            chunk: 3, elements: 11, shards: ShardInterval(from: 2, to: 9))
        return [
            frame(.partial(piece), elements: 11), frame(.total(piece), elements: 11),
            frame(.credit(partials: 5, totals: 6)), frame(.greeting(rank: 4, plan: .max)),
            frame(.answer(rank: 1, plan: 12345)), frame(.released), greeting, inMemory(piece),
        ]
    }

    @Test func `a header is read as it was written`() throws {
        let piece = FrameHeader.Piece(
            chunk: 3, elements: 11, shards: ShardInterval(from: 2, to: 9))
        let header = try read(frame(.partial(piece), elements: 11))
        #expect(header.run == 9 && header.generation == Self.generation && header.step == 77)
        #expect(header.body == .partial(piece))
        #expect(try read(samples[2]).body == .credit(partials: 5, totals: 6))
        #expect(try read(samples[3]).body == .greeting(rank: 4, plan: .max))
        #expect(try read(samples[4]).body == .answer(rank: 1, plan: 12345))
        #expect(try read(samples[6]).attachedBytes == 5)
        #expect(try read(samples[7]).place == .memory)
        #expect(try read(samples[7]).digest == FastDigest(high: 5, low: 6))
    }

    @Test func `no flipped bit, cut or added byte goes unseen`() {
        for sample in samples {
            for index in sample.indices {
                for bit in 0..<8 {
                    var torn = sample
                    torn[index] ^= 1 << bit
                    #expect(throws: FrameError.self) { try read(torn) }
                }
            }
            for count in 0..<sample.count {
                #expect(throws: FrameError.self) { try read(Array(sample[..<count])) }
            }
            #expect(throws: FrameError.self) { try read(sample + [0]) }
        }
    }

    @Test func `twenty thousand random inputs are refused without a trap`() throws {
        var generator = SeededGenerator(seed: 1)
        let samples = samples
        let plan = try RingPlan(
            rank: 1, shardBounds: [0, 2, 5, 9], count: 100, chunkElements: 11, collective: .fold)
        var fold = Fold(
            plan: plan, run: 9, generation: Self.generation, step: 77, window: 3)
        for _ in 0..<20_000 {
            var bytes = samples.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = .random(in: 0 ... .max, using: &generator)
            }
            if Bool.random(using: &generator) {
                bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
            }
            guard let header = try? read(bytes) else { continue }
            // What got through was not changed; judge it as if it had come from either side.
            #expect(samples.contains(bytes))
            _ = fold.receive(
                header, from: Bool.random(using: &generator) ? .predecessor : .successor)
        }
    }

    @Test func `any header at all is judged without a trap`() throws {
        var generator = SeededGenerator(seed: 2)
        for schedule in Schedule.allCases {
            let plan = try RingPlan(
                rank: 1, shardBounds: [0, 2, 5, 9], count: 100, chunkElements: 11,
                collective: schedule.collective, inPlace: schedule == .inPlace)
            var fold = Fold(
                plan: plan, run: 9, generation: Self.generation, step: 77, window: 3)
            func number() -> Int {
                Bool.random(using: &generator)
                    ? Int.random(in: 0...12, using: &generator)
                    : Int(UInt32.random(in: 0 ... .max, using: &generator))
            }
            for _ in 0..<20_000 {
                let piece = FrameHeader.Piece(
                    chunk: number(), elements: number(),
                    shards: ShardInterval(from: number(), to: number()))
                let body: FrameHeader.Body =
                    switch Int.random(in: 0..<3, using: &generator) {
                    case 0: .partial(piece)
                    case 1: .total(piece)
                    default: .credit(partials: number(), totals: number())
                    }
                let header = FrameHeader(
                    run: 9, generation: Self.generation, step: 77, body: body)
                _ = fold.receive(
                    header, from: Bool.random(using: &generator) ? .predecessor : .successor)
                _ = fold.next()
            }
        }
    }
}
