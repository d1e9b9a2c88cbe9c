import CLinux
import Foundation
import Links
import Messaging
import Parameters
import Ring
import Synchronization
import Wire

/// A process of `bench all-reduce`: owns one shard and a ring thread.
package final class AllReduceMember {
    let rank: Int
    private let settings: AllReduceBenchmark.MemberSettings
    private let context: Context
    private let control: DealerSocket
    private let ring: RingThread
    private let events = RingEvents()
    /// Public half of its key; empty for plain text.
    private let key: [UInt8]
    /// Where totals lie, so that neighbours can read them.
    private let memory: SharedMemory
    private var step: UInt64 = 0
    /// Rank 0's, between two orders of the probe.
    var listener: PlainListener?

    /// Where the ring thread's reports wait for the main thread.
    private final class RingEvents: Sendable {
        let queue = Mutex<[RingEvent]>([])
        let arrived = DispatchSemaphore(value: 0)
    }

    /// What ends a member before its time.
    enum Failure: Error {
        case arguments([String])
        case silence(String)
        case unexpected(RingEvent)
    }

    /// Takes what `AllReduceBenchmark.run` passes on: endpoint, rank and settings.
    package static func run(_ arguments: [String]) throws {
        _ = dtrain_die_with_parent()
        guard arguments.count == 3, let rank = Int(arguments[1]) else {
            throw Failure.arguments(arguments)
        }
        let settings = try JSONDecoder().decode(
            AllReduceBenchmark.MemberSettings.self, from: Data(arguments[2].utf8))
        let member = try AllReduceMember(endpoint: arguments[0], rank: rank, settings)
        do {
            try member.work()
        } catch let error as MessagingError where error.isRefusal {
            // Its last sentence tells, and its exit code.
            throw error
        } catch {
            try member.say(.failed(rank: rank, message: plainWords(error)))
            throw error
        }
    }

    private init(
        endpoint: String, rank: Int, _ settings: AllReduceBenchmark.MemberSettings
    ) throws {
        self.rank = rank
        self.settings = settings
        context = try Context(threads: settings.ioThreads)
        var options = SocketOptions()
        options.waits.linger = .seconds(1)
        control = try DealerSocket(context, options)
        try control.connect(endpoint)
        var configuration = RingConfiguration()
        configuration.chunkBytes = settings.chunkBytes
        configuration.credits = settings.credits
        configuration.streams = settings.streams
        if settings.isSecure {
            configuration.security = RingSecurity(
                keys: try KeyPair.random(), gate: try Gate(context))
        }
        key = configuration.security?.keys.publicKey.bytes ?? []
        memory = try SharedMemory(byteCount: settings.largest, writable: false)
        let events = events
        ring = try RingThread(context: context, configuration: configuration) { event in
            events.queue.withLock { $0.append(event) }
            events.arrived.signal()
        }
        ring.share(memory)
    }

    private func work() throws {
        defer { ring.stop() }
        try say(.ready(rank: rank, ring.endpoints, key: key))
        while true {
            switch try order() {
            case .join(let membership): try join(membership)
            case .listen: try listen()
            case .probe(let port, let bytes): try probe(port: port, bytes: bytes)
            case .measure(let bytes, let warmUp, let iterations):
                try say(.measured(rank: rank, try measure(bytes, warmUp, iterations)))
            case .end: return
            }
        }
    }

    // MARK: Conversation

    func say(_ report: AllReduceBenchmark.Report) throws {
        try control.send(
            Array(try JSONEncoder().encode(report)), until: .now + .seconds(10))
    }

    private func order() throws -> AllReduceBenchmark.Order {
        var poller = Poller()
        poller.add(control, for: .readable)
        let deadline = ContinuousClock.now + .seconds(settings.patienceSeconds)
        while true {
            if let content = try control.receive() {
                return try JSONDecoder().decode(
                    AllReduceBenchmark.Order.self, from: Data(content))
            }
            guard try poller.wait(until: deadline) else { throw Failure.silence("orders") }
        }
    }

    private func event() throws -> RingEvent {
        let limit = DispatchTime.now() + settings.patienceSeconds
        guard events.arrived.wait(timeout: limit) == .success else {
            throw Failure.silence("the ring, which waits for \(ring.progress.waitsFor)")
        }
        return events.queue.withLock { $0.removeFirst() }
    }

    private func join(_ membership: AllReduceBenchmark.Membership) throws {
        let workers = membership.endpoints.count
        ring.form(
            RingMembership(
                run: membership.run, generation: Generation(epoch: 1, counter: 1), rank: rank,
                shardBounds: Array(0...workers),
                successor: workers > 1 ? membership.endpoints[(rank + 1) % workers] : nil,
                transport: membership.transport, collective: membership.collective,
                keys: keys(membership.keys), boards: boards(membership)))
        var event = try event()
        while case .fellBack = event { event = try self.event() }
        if case .broken(_, .socket(let error)) = event { throw error }
        guard case .formed = event else { throw Failure.unexpected(event) }
        self.workers = workers
        try say(.formed(rank: rank, lane: ring.progress.lane))
    }

    /// Where the members say what their gradients lie in, if these are to be read where they are.
    private func boards(_ membership: AllReduceBenchmark.Membership) -> [MemoryPlace] {
        guard membership.transport == .auto || membership.transport == .shared,
            membership.collective == .fold, membership.keys.allSatisfy(\.isEmpty)
        else { return [] }
        let boards = membership.endpoints.compactMap(\.board)
        return boards.count == membership.endpoints.count ? boards : []
    }

    private func keys(_ all: [[UInt8]]) -> RingKeys? {
        guard settings.isSecure, all.count > 1 else { return nil }
        return RingKeys(
            predecessor: all[(rank + all.count - 1) % all.count],
            successor: all[(rank + 1) % all.count], encryptsAll: true)
    }

    // MARK: Measuring

    private var workers = 1

    private func fold(_ gradient: ParameterVector, into total: ParameterVector) throws
        -> (digest: FastDigest, timings: RingTimings)
    {
        step += 1
        ring.begin(step: step, gradients: [gradient], total: total)
        ring.finished(shard: 0, downTo: 0)
        let event = try event()
        guard case .folded(step, let digest, let timings) = event else {
            throw Failure.unexpected(event)
        }
        return (digest, timings)
    }

    private func measure(
        _ bytes: Int, _ warmUp: Int, _ iterations: Int
    ) throws -> AllReduceBenchmark.Measurement {
        let gradient = ring.vector(count: bytes / 4)
        let nothing = ring.vector(count: 1)
        let total = memory.vector(count: bytes / 4)
        Self.fill(gradient) { Self.value($0, rank: rank) }
        Self.fill(total) { expected($0) }
        let right = FastDigest(total, blockBytes: StepNumbers.blockBytes)
        var result = AllReduceBenchmark.Measurement(
            times: [], wrong: 0, processorSeconds: 0, checksumSeconds: 0, linkBytes: 0)
        for iteration in 0..<warmUp + iterations {
            // An all-reduce of one number: nobody reads totals any more, then nobody starts before
            // everybody is here.
            _ = try fold(nothing, into: memory.vector(count: 1))
            total.fill(0)
            _ = try fold(nothing, into: memory.vector(count: 1))
            let sent = ring.progress.bytesSent
            let processor = Self.processorSeconds()
            let start = ContinuousClock.now
            let (digest, timings) = try fold(gradient, into: total)
            let time = start.duration(to: .now).seconds
            let used = Self.processorSeconds() - processor
            if digest != right || iteration == warmUp + iterations - 1 {
                result.wrong += wrong(total)
            }
            guard iteration >= warmUp else { continue }
            result.times.append(time)
            result.processorSeconds += used
            result.checksumSeconds += timings.checksumSeconds
            result.linkBytes = ring.progress.bytesSent - sent
        }
        return result
    }

    /// Small whole numbers, so that the sum is exact in any order.
    private static func value(_ index: Int, rank: Int) -> Float {
        Float((index &* 31 &+ rank &* 17) & 1023) - 511
    }

    private func expected(_ index: Int) -> Float {
        (0..<workers).reduce(0) { $0 + Self.value(index, rank: $1) }
    }

    private static func fill(_ vector: ParameterVector, _ value: (Int) -> Float) {
        vector.withMutableFloats { floats in
            for index in floats.indices { floats[index] = value(index) }
        }
    }

    private func wrong(_ total: ParameterVector) -> Int {
        total.withFloats { floats in
            floats.indices.reduce(0) { floats[$1] == expected($1) ? $0 : $0 + 1 }
        }
    }

    /// Processor time of all threads of this process.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
