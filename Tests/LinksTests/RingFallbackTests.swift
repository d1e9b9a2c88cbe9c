import Glibc
import Links
import Messaging
import Settings
import Testing
import Wire

/// Ways to a neighbour that can't be opened: what carries sums instead, and what is said of it.
@Suite(.serialized) struct RingFallbackTests {
    /// Puts another file under the number of the memory's descriptor: it stays mapped here, and
    /// nobody else can map it.
    private func hide(_ memory: SharedMemory) throws {
        let other = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(other) }
        try #require(dup2(other, memory.handle.descriptor) >= 0)
    }

    private func expectSums(_ threads: Threads, _ members: [Int]) throws {
        let shards = threads.bounds[members.count]
        for step in 1...5 as ClosedRange<UInt64> {
            let gradients = someGradients(shards, 7001, seed: Int(step))
            try threads.fold(members, step: step, gradients: gradients)
        }
        for ring in threads.rings { #expect(ring.progress.drops.isEmpty) }
    }

    @Test(arguments: [Transport.auto, .shared], [[0], [0, 2], [0, 1, 2]])
    func `memory that the next worker can't map is said once, and a stream carries the same bits`(
        transport: Transport, hidden: [Int]
    ) throws {
        let threads = try Threads(3)
        threads.transports = [transport]
        for worker in hidden { try hide(threads.memory[worker]) }
        threads.form([0, 1, 2], bounds: [0, 1, 3, 4], counter: 1)
        let fallbacks = try threads.expectFormed([0, 1, 2], counter: 1)
        for worker in 0..<3 {
            let isHidden = hidden.contains(worker)
            #expect(fallbacks[worker] == (isHidden ? [.memory] : []))
            let progress = threads.rings[worker].progress
            #expect(progress.lane == (isHidden ? .ipc : .shared))
            #expect(progress.streams == isHidden)
        }
        try expectSums(threads, [0, 1, 2])
    }

    @Test func `memory that can't be had is said where a neighbour would map it`() throws {
        for (transport, said) in [(Transport.auto, [RingWay.memory]), (.ipc, []), (.tcp, [])] {
            let threads = try Threads(2)
            threads.transports = [transport]
            threads.rings[0].share(failure: .system(call: "posix_fallocate", code: ENOSPC))
            threads.form([0, 1], bounds: [0, 1, 2], counter: 1)
            #expect(try threads.expectFormed([0, 1], counter: 1) == [said, []])
            #expect(threads.rings[0].progress.streams)
            try expectSums(threads, [0, 1])
        }
    }

    @Test func `a stream that can't be opened either is said as well, and ZeroMQ carries the sums`()
        throws
    {
        let threads = try Threads(2) { worker, configuration in
            configuration.streams = worker == 0
        }
        try hide(threads.memory[0])
        threads.form([0, 1], bounds: [0, 1, 2], counter: 1)
        #expect(try threads.expectFormed([0, 1], counter: 1) == [[.memory, .stream], []])
        #expect(threads.rings[0].progress.lane == .ipc && !threads.rings[0].progress.streams)
        try expectSums(threads, [0, 1])
    }
}
