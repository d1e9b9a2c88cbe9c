import FuzzKit
import Ring
import Testing
import Wire

/// Whatever comes over a ring link, it is a frame that means one thing, or an error.
@Suite struct FuzzTests {
    private static func samples() -> [[UInt8]] {
        let generation = Generation(epoch: 1, counter: 2)
        let piece = FrameHeader.Piece(
            chunk: 3, elements: 11, shards: ShardInterval(from: 2, to: 9))
        func header(_ body: FrameHeader.Body) -> FrameHeader {
            FrameHeader(run: 9, generation: generation, step: 7, body: body)
        }
        var frames = [
            header(.greeting(rank: 4, plan: .max)).sealed(attaching: [1, 2, 3]),
            header(.answer(rank: 0, plan: 5)).sealed(),
            header(.credit(partials: 3, totals: 4)).sealed(), header(.released).sealed(),
        ]
        for body in [FrameHeader.Body.partial(piece), .total(piece)] {
            for format in WireFormat.allCases {
                var numbers = header(body)
                numbers.format = format
                var frame = [UInt8](repeating: 0x3C, count: numbers.frameBytes)
                frame.withUnsafeMutableBytes { numbers.seal($0) }
                frames.append(frame)
            }
            var memory = header(body)
            memory.place = .memory
            frames.append(memory.sealed())
        }
        return frames
    }

    @Test("frames of the ring")
    func frames() {
        var fuzzer = Fuzzer("frames of the ring")
        let samples = Self.samples()
        var read = 0
        for round in 0..<Fuzzer.rounds {
            var bytes = fuzzer.mutated(samples[round % samples.count])
            if round % 4 != 0 { bytes = mendedFrame(bytes) }
            guard let header = try? bytes.withUnsafeBytes({ try FrameHeader($0) }) else { continue }
            read += 1
            #expect(header.frameBytes == bytes.count)
            var again = bytes
            again.withUnsafeMutableBytes { header.seal($0) }
            #expect((try? again.withUnsafeBytes { try FrameHeader($0) }) == header)
        }
        #expect(read > Fuzzer.rounds / 100)
    }

    @Test("what a fold is told, in any order")
    func folds() throws {
        var fuzzer = Fuzzer("folds")
        var acted = 0
        for _ in 0..<Fuzzer.rounds / 40 {
            let plan = try RingPlan(
                rank: fuzzer.number(0...2), shardBounds: [0, 2, 3, 6], count: 95,
                chunkElements: 10, collective: .fold,
                inPlace: fuzzer.chance(50))
            let generation = Generation(epoch: 1, counter: 1)
            var fold = Fold(plan: plan, run: 5, generation: generation, step: 3, window: 2)
            if fuzzer.chance(50) { fold.localReady(downTo: 0) }
            for _ in 0..<40 {
                let piece = FrameHeader.Piece(
                    chunk: fuzzer.number(0...12), elements: fuzzer.number(1...11),
                    shards: ShardInterval(from: fuzzer.number(0...6), to: fuzzer.number(1...7)))
                let bodies: [FrameHeader.Body] = [
                    .partial(piece), .total(piece), .released,
                    .credit(
                        partials: fuzzer.number(0...Int(UInt32.max)), totals: fuzzer.number(0...5)),
                ]
                var header = FrameHeader(
                    run: fuzzer.chance(95) ? 5 : 6, generation: generation,
                    step: fuzzer.chance(90) ? 3 : UInt64.max,
                    body: bodies[fuzzer.number(0...3)])
                header.place = [.frame, .memory, .gradients][fuzzer.number(0...2)]
                let neighbour: Neighbour = fuzzer.chance(70) ? .predecessor : .successor
                if case .act = fold.receive(header, from: neighbour) { acted += 1 }
                while fold.next() != nil { acted += 1 }
            }
        }
        #expect(acted > 0)
    }
}
