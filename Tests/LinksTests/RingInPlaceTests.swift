import Foundation
import Links
import Messaging
import Parameters
import Ring
import Testing
import Wire

/// Workers that sum each other's gradients where they lie.
@Suite(.serialized) struct RingInPlaceTests {
    private func threads(
        _ workers: Int, chunkBytes: Int = 1000, credits: Int = 2
    ) throws -> Threads {
        let threads = try Threads(workers) { _, configuration in
            configuration.chunkBytes = chunkBytes
            configuration.credits = credits
        }
        threads.sumsInPlace = true
        return threads
    }

    @Test(arguments: [1, 2, 3, 4, 7], WireFormat.allCases)
    func `gradients read where they lie give the bits of one process, step after step`(
        workers: Int, wire: WireFormat
    ) throws {
        let threads = try threads(workers)
        threads.wire = wire
        let all = Array(0..<workers)
        threads.form(all, bounds: [0] + (1...workers).map { $0 * 2 - $0 % 2 }, counter: 1)
        try threads.expectFormed(all, counter: 1)
        for step in 1...8 as ClosedRange<Int> {
            let shards = threads.bounds[workers]
            // The memory of every other step is the one's before.
            let count = step == 1 ? 1 : 371 * (step + step % 2)
            let gradients = someGradients(shards, count, seed: step)
            try threads.fold(all, step: UInt64(step), gradients: gradients)
        }
        for ring in threads.rings { #expect(ring.progress.drops.isEmpty) }
    }

    @Test(arguments: [5, 9])
    func `many workers with tiny chunks and one credit fold exactly`(workers: Int) throws {
        let threads = try threads(workers, chunkBytes: 64, credits: 1)
        let all = Array(0..<workers)
        threads.form(all, bounds: Array(0...workers), counter: 1)
        try threads.expectFormed(all, counter: 1)
        for (step, count) in [(1 as UInt64, 1), (2, 15), (3, 1003)] {
            try threads.fold(
                all, step: step, gradients: someGradients(workers, count, seed: count))
        }
    }

    @Test func `a link carries every total once, and of partials headers alone`() throws {
        let threads = try threads(3)
        threads.form([0, 1, 2], bounds: [0, 1, 2, 3], counter: 1)
        try threads.expectFormed([0, 1, 2], counter: 1)
        try threads.fold([0, 1, 2], step: 1, gradients: someGradients(3, 3000, seed: 1))
        // Twelve chunks of 250 elements, four of them each worker's to sum: it passes on the partials
        // of the others' eight, and all totals but those that its successor has made.
        for ring in threads.rings {
            #expect(ring.progress.framesSent == 8 + 8)
            #expect(ring.progress.bytesSent == 16 * FrameHeader.byteCount + 4 * 8 * 250)
        }
    }

    @Test func `others form again without a worker that ends in the middle`() throws {
        let threads = try threads(3)
        threads.form([0, 1, 2], bounds: [0, 1, 2, 3], counter: 1)
        try threads.expectFormed([0, 1, 2], counter: 1)
        let gradients = someGradients(3, 5000, seed: 1)
        try threads.fold([0, 1, 2], step: 1, gradients: gradients)
        let begun = threads.rings[0].vector(count: 5000)
        threads.rings[0].begin(
            step: 2, gradients: [begun], total: threads.memory[0].vector(count: 5000))
        threads.rings[0].finished(shard: 0, downTo: 0)
        threads.rings[2].stop()
        threads.form([0, 1], bounds: [0, 1, 3], counter: 2)
        try threads.expectFormedAgain([0, 1])
        try threads.fold([0, 1], step: 2, gradients: gradients)
    }

    @Test func `a gradient that others cannot read is said, not summed`() throws {
        let threads = try threads(2)
        threads.form([0, 1], bounds: [0, 1, 2], counter: 1)
        try threads.expectFormed([0, 1], counter: 1)
        threads.rings[0].begin(
            step: 1, gradients: [ParameterVector(count: 5000)],
            total: threads.memory[0].vector(count: 5000))
        guard case .broken(_, .apart) = try threads.reports[0].next() else {
            Issue.record("not said")
            return
        }
    }

    @Test func `a board that is somewhere else is said, not read`() throws {
        let threads = try threads(2)
        let other = try SharedMemory(byteCount: 1 << 16, writable: false)
        let boards = [other.handle, other.handle]
        for rank in 0..<2 {
            threads.rings[rank].form(
                RingMembership(
                    run: 5, generation: Generation(epoch: 1, counter: 1), rank: rank,
                    shardBounds: [0, 1, 2], successor: threads.rings[1 - rank].endpoints,
                    boards: boards))
        }
        try threads.expectFormed([0, 1], counter: 1)
        for ring in threads.rings {
            ring.begin(
                step: 1, gradients: [ring.vector(count: 5000)], total: ring.vector(count: 5000))
            ring.finished(shard: 0, downTo: 0)
        }
        // Whose partials come around sums; the other may wait for them until it is told.
        let limit = ContinuousClock.now + .seconds(30)
        while true {
            let broken = (0..<2).first { threads.rings[$0].progress.state == .broken }
            if let broken {
                let event = try threads.reports[broken].next()
                guard case .broken(_, .apart(let reason)) = event else {
                    Issue.record("worker \(broken): \(event)")
                    return
                }
                #expect(reason.contains("a board of 65536 bytes"))
                return
            }
            try #require(ContinuousClock.now < limit)
            sched_yield()
        }
    }

    @Test func `what neighbours do not use any more stays mapped for a few steps at most`() throws {
        let board = try VectorBoard()
        let generation = Generation(epoch: 1, counter: 1)
        let plan = try RingPlan(
            rank: 0, shardBounds: [0, 1, 2], count: 1000, chunkElements: 100, collective: .fold,
            inPlace: true)
        let own = ([ParameterVector(count: 1000)], ParameterVector(count: 1000))
        var neighbours = NeighbourVectors()
        var vectors: Set<UInt64> = []
        for step in 1...20 as ClosedRange<UInt64> {
            let (gradient, total) = (try shared(1000), try shared(1000))
            board.post([gradient.handle], total: total.handle, generation, step: step)
            _ = try neighbours.all(
                plan, own: own, boards: [board.handle, board.handle], generation, step: step)
            vectors.formUnion([gradient.handle.inode, total.handle.inode])
        }
        #expect(try mapped(vectors) == 2 * 8, "a gradient and a total of each of eight steps")
        neighbours.nextGeneration(of: [board.handle])
        #expect(try mapped(vectors) >= 2, "the same process goes on")
        neighbours.nextGeneration(of: [])
        #expect(try mapped(vectors) == 0, "it has gone")
    }

    private func shared(_ count: Int) throws -> SharedMemory {
        try SharedMemory(byteCount: 4 * count, writable: false)
    }

    /// How many of these files this process maps.
    private func mapped(_ inodes: Set<UInt64>) throws -> Int {
        let file = try #require(FileHandle(forReadingAtPath: "/proc/self/maps"))
        let lines = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        return lines.split(separator: "\n").count { line in
            let fields = line.split(separator: " ")
            return fields.count > 5 && fields[5].hasPrefix("/memfd:dtrain")
                && UInt64(fields[4]).map(inodes.contains) == true
        }
    }
}
