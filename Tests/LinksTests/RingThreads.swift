import Foundation
import Links
import Messaging
import Parameters
import Ring
import Settings
import Synchronization
import Testing
import Wire

/// What a ring thread reported, for a test to wait on.
final class Reports: Sendable {
    private let events = Mutex<[RingEvent]>([])
    private let arrived = DispatchSemaphore(value: 0)

    func add(_ event: RingEvent) {
        events.withLock { $0.append(event) }
        arrived.signal()
    }

    func next() throws -> RingEvent {
        try #require(arrived.wait(timeout: .now() + 30) == .success, "no report")
        return events.withLock { $0.removeFirst() }
    }
}

/// Workers of one ring, each with a real ring thread, in this process.
final class Threads {
    let context: Context
    var rings: [RingThread] = []
    var reports: [Reports] = []
    var bounds: [Int] = []
    /// By rank, around and around.
    var transports = [Transport.auto]
    var memory: [SharedMemory] = []
    var collective = Collective.fold
    var wire = WireFormat.f32
    /// Members read each other's gradients where they lie.
    var sumsInPlace = false
    /// By shard and member.
    private var lanes: [[Int]: ParameterVector] = [:]
    /// The members' own; empty for plain text.
    private(set) var keys: [KeyPair] = []
    private var encryptsAll = false

    /// Members that know each other by their keys.
    convenience init(secured workers: Int, encryptsAll: Bool) throws {
        let context = try Context()
        let gate = try Gate(context)
        let keys = try (0..<workers).map { _ in try KeyPair.random() }
        try self.init(workers, in: context) {
            $1.security = RingSecurity(keys: keys[$0], gate: gate)
        }
        self.keys = keys
        self.encryptsAll = encryptsAll
    }

    convenience init(
        _ workers: Int, _ change: (Int, inout RingConfiguration) -> Void = { _, _ in }
    ) throws {
        try self.init(workers, in: Context(), change)
    }

    private init(
        _ workers: Int, in context: Context, _ change: (Int, inout RingConfiguration) -> Void
    ) throws {
        self.context = context
        for worker in 0..<workers {
            var configuration = RingConfiguration()
            configuration.chunkBytes = 1000
            configuration.credits = 2
            // However busy the machine is.
            configuration.streamTimeout = .seconds(10)
            change(worker, &configuration)
            let reports = Reports()
            self.reports.append(reports)
            rings.append(
                try RingThread(context: context, configuration: configuration) {
                    reports.add($0)
                })
            memory.append(try SharedMemory(byteCount: 4 * 10_000, writable: false))
            rings[worker].share(memory[worker])
        }
    }

    deinit { for ring in rings { ring.stop() } }

    /// Forms a generation of some of the workers, in the order given.
    func form(_ members: [Int], bounds: [Int], counter: UInt32) {
        self.bounds = bounds
        for (rank, member) in members.enumerated() {
            let successor = members[(rank + 1) % members.count]
            rings[member].form(
                RingMembership(
                    run: 5, generation: Generation(epoch: 1, counter: counter), rank: rank,
                    shardBounds: bounds,
                    successor: members.count == 1 ? nil : rings[successor].endpoints,
                    transport: transports[rank % transports.count], collective: collective,
                    wire: wire, seed: 11, keys: ringKeys(rank, members),
                    boards: sumsInPlace ? members.compactMap { rings[$0].endpoints.board } : []))
        }
    }

    private func ringKeys(_ rank: Int, _ members: [Int]) -> RingKeys? {
        guard !keys.isEmpty, members.count > 1 else { return nil }
        return RingKeys(
            predecessor: keys[members[(rank + members.count - 1) % members.count]].publicKey.bytes,
            successor: keys[members[(rank + 1) % members.count]].publicKey.bytes,
            encryptsAll: encryptsAll)
    }

    /// - Returns: by member, the ways that could not be opened, in that order.
    @discardableResult
    func expectFormed(_ members: [Int], counter: UInt32) throws -> [[RingWay]] {
        try members.map { member in
            var fallbacks: [RingWay] = []
            var event = try reports[member].next()
            while case .fellBack(let way, let reason) = event {
                #expect(!reason.isEmpty)
                fallbacks.append(way)
                event = try reports[member].next()
            }
            guard case .formed(Generation(epoch: 1, counter: counter)) = event else {
                Issue.record("worker \(member) has not formed: \(event)")
                return fallbacks
            }
            return fallbacks
        }
    }

    /// Checks that generation 2 is formed by members of generation 1, who may or may not have lost a
    /// neighbour of that first.
    func expectFormedAgain(_ members: [Int]) throws {
        for member in members {
            var event = try reports[member].next()
            if case .broken(Generation(epoch: 1, counter: 1), _) = event {
                event = try reports[member].next()
            }
            guard case .formed(Generation(epoch: 1, counter: 2)) = event else {
                Issue.record("worker \(member): \(event)")
                continue
            }
        }
    }

    /// Folds one step; lanes write and finish their gradients in pieces, on threads of their own, into
    /// the memory of the step before. Outside of what is finished there is nothing that adds up.
    func fold(_ members: [Int], step: UInt64, gradients: [ParameterVector]) throws {
        let count = gradients[0].count
        var totals: [ParameterVector] = []
        for (rank, member) in members.enumerated() {
            let own = bounds[rank]..<bounds[rank + 1]
            let total = memory[member].vector(count: count)
            totals.append(total)
            let ring = rings[member]
            let lanes = own.map { lane($0, of: member, count: count) }
            ring.begin(step: step, gradients: lanes, total: total)
            for (index, (shard, lane)) in zip(own, lanes).enumerated() {
                let gradient = gradients[shard]
                Thread {
                    for part in (0..<7).reversed() {
                        let elements = count * part / 7..<count * (part + 1) / 7
                        if elements.isEmpty { continue }
                        for element in elements { lane[element] = gradient[element] }
                        ring.finished(shard: index, downTo: elements.lowerBound)
                    }
                }.start()
            }
        }
        let expected = try expected(gradients, step: step)
        for (rank, member) in members.enumerated() {
            let event = try reports[member].next()
            guard case .folded(step, let digest, let timings) = event else {
                Issue.record("worker \(member): \(event)")
                continue
            }
            // Whoever has folded may write into its gradients, though others may still fold.
            for shard in bounds[rank]..<bounds[rank + 1] {
                lane(shard, of: member, count: count).fill(.nan)
            }
            #expect(totals[rank].floats().map(\.bitPattern) == expected)
            #expect(
                digest == FastDigest(totals[rank], blockBytes: StepNumbers.blockBytes))
            #expect(
                timings.waitSeconds >= 0 && timings.foldSeconds >= 0
                    && timings.processorSeconds >= 0)
        }
    }

    /// What a shard's gradient is computed into, where others can read it if they are to.
    private func lane(_ shard: Int, of member: Int, count: Int) -> ParameterVector {
        let key = [shard, member]
        if let lane = lanes[key], lane.count == count { return lane }
        let lane = sumsInPlace ? rings[member].vector(count: count) : ParameterVector(count: count)
        lane.fill(.nan)
        lanes[key] = lane
        return lane
    }

    private func expected(_ gradients: [ParameterVector], step: UInt64) throws -> [UInt32] {
        let plan = try RingPlan(
            rank: 0, shardBounds: bounds, count: gradients[0].count, chunkElements: 250,
            collective: collective, wire: wire)
        let rounding = StochasticRounding(wire, seed: 11, step: step)
        let total = ParameterVector(count: plan.count)
        for segment in 0..<plan.segments {
            let first = bounds[plan.start(ofSegment: segment)]
            let range = plan.elements(ofSegment: segment)
            for offset in 0..<gradients.count {
                let shard = (first + offset) % gradients.count
                for index in range {
                    let value = gradients[shard][index]
                    total[index] = offset == 0 ? value : total[index] + value
                }
                rounding.round(
                    total.unsafeAddress + range.lowerBound, range.count,
                    first: range.lowerBound, node: shard)
            }
        }
        return total.floats().map(\.bitPattern)
    }
}

func someGradients(_ shards: Int, _ count: Int, seed: Int) -> [ParameterVector] {
    (0..<shards).map { shard in
        let vector = ParameterVector(count: count)
        for index in 0..<count {
            let mixed = UInt32(truncatingIfNeeded: (index + 1) &* (shard + 3) &* (seed + 7))
            vector[index] = Float(Int32(bitPattern: mixed &* 2_654_435_761)) * 1e-5
        }
        return vector
    }
}
