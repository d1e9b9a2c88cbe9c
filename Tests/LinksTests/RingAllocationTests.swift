import CAllocations
import Foundation
import Links
import Messaging
import Parameters
import Ring
import Settings
import Synchronization
import Testing
import Wire

/// What two ring threads allocate while they fold.
private final class CountedPair {
    private let context: Context
    private var rings: [RingThread] = []
    private var totals: [SharedMemory] = []
    private let reports = Reports()

    private final class Reports: Sendable {
        /// By worker: requests of its ring thread so far, at every report.
        let counts = Mutex<[[UInt64]]>([[], []])
        let arrived = DispatchSemaphore(value: 0)
    }

    private var step: UInt64 = 0

    init(_ transport: Transport, isSealed: Bool, inPlace: Bool) throws {
        context = try Context()
        let gate = isSealed ? try Gate(context) : nil
        let keys = try (0..<2).map { _ in isSealed ? try KeyPair.random() : nil }
        let reports = reports
        for worker in 0..<2 {
            var configuration = RingConfiguration()
            configuration.chunkBytes = 1024
            if let gate, let own = keys[worker] {
                configuration.security = RingSecurity(keys: own, gate: gate)
            }
            let ring = try RingThread(context: context, configuration: configuration) { _ in
                let count = dtrain_allocations()
                reports.counts.withLock { $0[worker].append(count) }
                reports.arrived.signal()
            }
            totals.append(try SharedMemory(byteCount: 4 << 20, writable: false))
            ring.share(totals[worker])
            rings.append(ring)
        }
        for rank in 0..<2 {
            rings[rank].form(
                RingMembership(
                    run: 1, generation: Generation(epoch: 1, counter: 1), rank: rank,
                    shardBounds: [0, 1, 2], successor: rings[1 - rank].endpoints,
                    transport: transport,
                    keys: keys[1 - rank].map {
                        RingKeys(
                            predecessor: $0.publicKey.bytes, successor: $0.publicKey.bytes,
                            encryptsAll: true)
                    },
                    boards: inPlace ? rings.compactMap(\.endpoints.board) : []))
        }
        try wait()
        for ring in rings {
            #expect(ring.progress.streams == (transport != .shared))
            #expect(ring.progress.isSealed == isSealed)
        }
    }

    func stop() { for ring in rings { ring.stop() } }

    private func wait() throws {
        for _ in 0..<2 { try #require(reports.arrived.wait(timeout: .now() + 30) == .success) }
    }

    /// Requests of the ring threads from the last report to the end of a fold of so many chunks.
    func fold(chunks: Int) throws -> Int {
        let before = reports.counts.withLock { $0.reduce(0) { $0 + $1.last! } }
        step += 1
        let gradients = rings.map { $0.vector(count: 256 * chunks) }
        for rank in 0..<2 {
            rings[rank].begin(
                step: step, gradients: [gradients[rank]],
                total: totals[rank].vector(count: 256 * chunks))
            rings[rank].finished(shard: 0, downTo: 0)
        }
        try wait()
        return Int(reports.counts.withLock { $0.reduce(0) { $0 + $1.last! } } - before)
    }
}

@Suite(.serialized) struct RingAllocationTests {
    @Test(
        .enabled(if: dtrain_counts_allocations(), "a sanitizer has a malloc of its own"),
        arguments: [
            (Transport.shared, false, false), (.shared, false, true), (.ipc, false, false),
            (.tcp, false, false), (.tcp, true, false),
        ])
    func `a fold asks for no memory for its chunks`(
        transport: Transport, isSealed: Bool, inPlace: Bool
    ) throws {
        let pair = try CountedPair(transport, isSealed: isSealed, inPlace: inPlace)
        defer { pair.stop() }
        for _ in 0..<5 { _ = try pair.fold(chunks: 1000) }
        let few = try (0..<20).map { _ in try pair.fold(chunks: 10) }.sorted()
        let many = try (0..<20).map { _ in try pair.fold(chunks: 1000) }.sorted()
        // Counted at all, and a hundred times the chunks take no more; what a step asks for stays.
        #expect(few[0] > 0)
        #expect(many[10] <= few[10] + 20, "\(few) beside \(many)")
    }

    @Test(.enabled(if: dtrain_counts_allocations(), "a sanitizer has a malloc of its own"))
    func `a writer that is emptied again and again keeps to the same memory`() throws {
        let ends = try Ends(isSealed: true)
        let writer = FrameWriter(ends.here, ends.seals.here?.outgoing, slots: 96)
        let reader = FrameReader(ends.there, ends.seals.there?.incoming, limit: 4096)
        let numbers = [UInt8](repeating: 1, count: 4096)
        let frame = header(1, numbers)
        func pass() throws {
            numbers.withUnsafeBytes { #expect(writer.put(frame, $0)) }
            #expect(try writer.flush() && writer.isEmpty)
            #expect(try reader.next() == frame)
        }
        try pass()
        let place = reader.numbers.baseAddress
        let before = dtrain_allocations()
        try numbers.withUnsafeBytes { bytes in
            for _ in 0..<96 {
                guard writer.put(frame, bytes), try writer.flush(), try reader.next() != nil else {
                    Issue.record("a frame is lost")
                    return
                }
            }
        }
        #expect(dtrain_allocations() - before < 10)
        #expect(reader.numbers.baseAddress == place)
    }
}
