import Foundation
import Links
import Messaging
import Parameters
import Ring
import Settings
import Synchronization
import Testing
import Wire

@Suite(.serialized) struct RingThreadTests {
    @Test(arguments: [[Transport.ipc], [.tcp], [.shared], [.auto, .tcp, .ipc]], [1, 2, 3, 4])
    func `every lane and mixture gives the bits of one process, step after step`(
        transports: [Transport], workers: Int
    ) throws {
        for (collective, wire) in [
            (Collective.fold, WireFormat.f32), (.ring, .f32), (.fold, .int8), (.ring, .bf16),
        ] {
            let threads = try Threads(workers)
            threads.wire = wire
            threads.transports = transports
            threads.collective = collective
            let all = Array(0..<workers)
            threads.form(all, bounds: [0] + (1...workers).map { $0 * 2 - $0 % 2 }, counter: 1)
            try threads.expectFormed(all, counter: 1)
            for step in 1...12 as ClosedRange<Int> {
                let shards = threads.bounds[workers]
                let gradients = someGradients(shards, 2000 + 371 * step, seed: step)
                try threads.fold(all, step: UInt64(step), gradients: gradients)
            }
            for (rank, ring) in threads.rings.enumerated() {
                #expect(ring.progress.drops.isEmpty)
                let lane = transports[rank % transports.count]
                let used: Transport? = workers == 1 ? nil : lane == .auto ? .shared : lane
                #expect(ring.progress.lane == used)
            }
        }
    }

    @Test func `a neighbour that ends is noticed, and the others form again without it`() throws {
        let threads = try Threads(4)
        threads.form([0, 1, 2, 3], bounds: [0, 1, 2, 3, 4], counter: 1)
        try threads.expectFormed([0, 1, 2, 3], counter: 1)
        let gradients = someGradients(4, 5000, seed: 1)
        try threads.fold([0, 1, 2, 3], step: 1, gradients: gradients)
        threads.rings[2].stop()
        for (member, neighbour) in [(1, Neighbour.successor), (3, .predecessor)] {
            guard
                case .broken(Generation(epoch: 1, counter: 1), .lost(neighbour)) =
                    try threads.reports[member].next()
            else {
                Issue.record("worker \(member) did not report its \(neighbour)")
                continue
            }
        }
        // What was begun in the broken generation is forgotten.
        threads.rings[0].begin(
            step: 2, gradients: [gradients[0]], total: ParameterVector(count: 5000))
        threads.form([3, 0, 1], bounds: [0, 1, 2, 4], counter: 2)
        try threads.expectFormedAgain([3, 0, 1])
        try threads.fold([3, 0, 1], step: 2, gradients: gradients)
    }

    @Test func `neighbours that cut chunks differently say so instead of folding`() throws {
        let threads = try Threads(2) { worker, configuration in
            configuration.chunkBytes = worker == 0 ? 1000 : 2000
        }
        threads.form([0, 1], bounds: [0, 1, 2], counter: 1)
        var broken = 0
        for reports in threads.reports {
            if case .broken(_, .disagreement) = try reports.next() { broken += 1 }
            if broken > 0 { break }
        }
        #expect(broken == 1)
    }

    @Test func `a neighbour that does not come is named at the deadline`() throws {
        let threads = try Threads(2) { _, configuration in
            configuration.formationTimeout = .milliseconds(50)
        }
        threads.rings[0].form(
            RingMembership(
                run: 5, generation: Generation(epoch: 1, counter: 1), rank: 0,
                shardBounds: [0, 1, 2], successor: threads.rings[1].endpoints))
        guard
            case .broken(_, .formation(missing: [.predecessor, .successor])) =
                try threads.reports[0].next()
        else {
            Issue.record("not named")
            return
        }
        #expect(threads.rings[0].progress.state == .broken)
    }

    @Test func `a neighbour on another host has no ipc`() throws {
        let threads = try Threads(2)
        var far = threads.rings[1].endpoints
        far.hostKey += "-far"
        #expect(far.endpoint(.auto, from: threads.rings[0].endpoints.host) == far.tcp)
        threads.rings[0].form(
            RingMembership(
                run: 5, generation: Generation(epoch: 1, counter: 1), rank: 0,
                shardBounds: [0, 1, 2], successor: far, transport: .ipc))
        guard case .broken(_, .unreachable(.ipc)) = try threads.reports[0].next() else {
            Issue.record("reached")
            return
        }
    }

    @Test(arguments: [Transport.ipc, .tcp, .shared], [1, 16, 40])
    func `what credits allow always finds room in the queues`(
        transport: Transport, credits: Int
    ) throws {
        let threads = try Threads(4) { _, configuration in
            configuration.chunkBytes = 256
            configuration.credits = credits
        }
        threads.transports = [transport]
        threads.form([0, 1, 2, 3], bounds: [0, 1, 2, 3, 4], counter: 1)
        try threads.expectFormed([0, 1, 2, 3], counter: 1)
        let gradients = someGradients(4, 10_000, seed: 1)
        for step in 1...20 as ClosedRange<UInt64> {
            try threads.fold([0, 1, 2, 3], step: step, gradients: gradients)
        }
        for ring in threads.rings { #expect(ring.progress.drops.isEmpty) }
    }

    @Test(arguments: [Transport.ipc, .tcp], [[false], [true, false], [false, true, true]])
    func `who keeps to ZeroMQ's links folds the same bits with whoever does not`(
        transport: Transport, streams: [Bool]
    ) throws {
        let threads = try Threads(3) { worker, configuration in
            configuration.streams = streams[worker % streams.count]
        }
        threads.transports = [transport]
        threads.form([0, 1, 2], bounds: [0, 1, 3, 4], counter: 1)
        let fallbacks = try threads.expectFormed([0, 1, 2], counter: 1)
        for worker in 0..<3 {
            // Who would have a stream says that the next one has none.
            let isRefused =
                streams[worker % streams.count] && !streams[(worker + 1) % 3 % streams.count]
            #expect(fallbacks[worker] == (isRefused ? [.stream] : []))
        }
        for step in 1...5 as ClosedRange<UInt64> {
            let gradients = someGradients(4, 7001, seed: Int(step))
            try threads.fold([0, 1, 2], step: step, gradients: gradients)
        }
        for ring in threads.rings { #expect(ring.progress.drops.isEmpty) }
    }

    @Test(arguments: [Transport.ipc, .tcp, .shared], [5, 9])
    func `many workers with tiny chunks and one credit fold exactly`(
        transport: Transport, workers: Int
    ) throws {
        let threads = try Threads(workers) { _, configuration in
            configuration.chunkBytes = 64
            configuration.credits = 1
        }
        threads.transports = [transport]
        let all = Array(0..<workers)
        threads.form(all, bounds: Array(0...workers), counter: 1)
        try threads.expectFormed(all, counter: 1)
        for (step, count) in [(1 as UInt64, 1), (2, 15), (3, 1003)] {
            try threads.fold(
                all, step: step, gradients: someGradients(workers, count, seed: count))
        }
    }

    @Test func `a step that was abandoned leaves the links sound`() throws {
        let threads = try Threads(2)
        threads.form([0, 1], bounds: [0, 1, 2], counter: 1)
        try threads.expectFormed([0, 1], counter: 1)
        let gradients = someGradients(2, 5000, seed: 1)
        threads.rings[0].begin(
            step: 1, gradients: [gradients[0]], total: ParameterVector(count: 5000))
        #expect(threads.rings[0].progress.state != .broken)
        threads.rings[0].abandon()
        try threads.fold([0, 1], step: 2, gradients: gradients)
    }
}
