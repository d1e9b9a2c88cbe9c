import Parameters
import Ring
import Testing
import Wire

/// A generator whose sequence is the same on every machine (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Every way in which a ring comes to a total.
enum Schedule: CaseIterable, Sendable {
    case fold, inPlace, ring

    var collective: Collective { self == .ring ? .ring : .fold }
}

/// One worker of a ring in memory: its folds, and what they keep and send.
final class MemoryMember {
    let plan: RingPlan
    let window: Int
    let wire: WireFormat
    let total: ParameterVector
    private(set) var folds: FoldSeries
    private(set) var step: UInt64 = 0
    private(set) var isComplete = false
    private var early: [[UInt8]] = []
    private(set) var mostEarly = 0
    private(set) var drops: [DropReason: Int] = [:]
    private(set) var fault: FoldFault?
    /// Elements not computed yet, and frames for the neighbours.
    var localLeft: Int
    var toSuccessor: [[UInt8]] = []
    var toPredecessor: [[UInt8]] = []
    /// All members, by rank: in a ring of one host each reads what it needs of the others.
    var members: () -> [MemoryMember] = { [] }
    private(set) var gradients: [ParameterVector] = []
    private let sendsByMemory: Bool

    init(_ plan: RingPlan, window: Int, wire: WireFormat, sendsByMemory: Bool) {
        self.wire = wire
        self.plan = plan
        self.window = window
        self.sendsByMemory = sendsByMemory || plan.isInPlace
        total = ParameterVector(count: plan.count)
        folds = FoldSeries(
            run: 7, generation: Self.generation, window: window, wire: wire, seed: Self.seed)
        localLeft = plan.count
    }

    private static let seed: UInt64 = 9
    static let generation = Generation(epoch: 3, counter: 4)

    static func rounding(_ wire: WireFormat, _ step: UInt64) -> StochasticRounding {
        StochasticRounding(wire, seed: seed, step: step)
    }

    private var predecessor: MemoryMember {
        members()[(plan.rank + plan.workers - 1) % plan.workers]
    }

    /// Begins a step with own gradients out of all shards'.
    func begin(step: UInt64, of every: [ParameterVector]) {
        self.step = step
        isComplete = false
        gradients = Array(every[plan.own])
        localLeft = plan.count
        var ways = FoldWays()
        ways.sendsByMemory = sendsByMemory
        ways.predecessor = predecessor.total
        let members = members
        ways.all = { () throws(FoldFault) in
            var all = FoldVectors()
            all.gradients = members().flatMap(\.gradients)
            all.totals = members().map(\.total)
            return all
        }
        folds.readsPredecessor = predecessor.sendsByMemory && plan.workers > 1
        folds.begin(step: step, plan: plan, gradients: gradients, total: total, ways: ways)
        let held = early
        early = []
        for frame in held { receive(frame, from: .predecessor) }
    }

    func ready(_ elements: Int) {
        localLeft -= elements
        folds.ready(downTo: localLeft)
    }

    func receive(_ frame: [UInt8], from neighbour: Neighbour) {
        frame.withUnsafeBytes { bytes in
            do throws(FrameError) {
                let header = try FrameHeader(bytes)
                let numbers = UnsafeRawBufferPointer(rebasing: bytes[FrameHeader.byteCount...])
                obey(
                    folds.receive(header, numbers, isChecked: true, from: neighbour), frame)
            } catch {
                fault = .violation(neighbour, .frame(error))
            }
        }
    }

    /// Does the next thing; false if there is none.
    func go() -> Bool {
        guard fault == nil, let outcome = folds.next() else { return false }
        obey(outcome, [])
        return true
    }

    private func obey(_ outcome: FoldOutcome, _ frame: [UInt8]) {
        switch outcome {
        case .taken, .released: break
        case .send(let carry): send(carry)
        case .reply(let header): toPredecessor.append(header.sealed())
        case .early:
            early.append(frame)
            mostEarly = max(mostEarly, early.count)
        case .dropped(let reason): drops[reason, default: 0] += 1
        case .complete(let digest, _):
            isComplete = true
            #expect(digest == FastDigest(total, blockBytes: StepNumbers.blockBytes))
        case .broken(let broken): fault = broken
        }
    }

    private func send(_ carry: Carry) {
        var carry = carry
        var frame = [UInt8](repeating: 0, count: carry.header.frameBytes)
        frame.withUnsafeMutableBytes { bytes in
            if carry.header.payloadBytes > 0 {
                carry.write(into: .init(rebasing: bytes[FrameHeader.byteCount...]))
            }
            carry.header.sealHeader(bytes)
        }
        toSuccessor.append(frame)
    }
}

/// Workers joined by queues, moved on in a random order.
final class MemoryRing {
    struct Setting: Sendable {
        var workers: Int
        var shards: Int
        var count: Int
        var chunkElements: Int
        var window: Int
        var schedule: Schedule
        var wire = WireFormat.f32
    }

    let setting: Setting
    var members: [MemoryMember] = []
    var forward: [[[UInt8]]]
    var backward: [[[UInt8]]]
    var generator: SeededGenerator
    /// Changes what a link carries: gets a frame, returns what arrives.
    var disturb: ((_ frame: [UInt8], _ generator: inout SeededGenerator) -> [[UInt8]])?

    /// - Parameter lanes: which members send by memory; none unless said.
    init(
        _ setting: Setting, seed: UInt64, gradients: [ParameterVector],
        lanes: (Int) -> Bool = { _ in false }
    ) throws {
        self.setting = setting
        generator = SeededGenerator(seed: seed)
        forward = Array(repeating: [], count: setting.workers)
        backward = Array(repeating: [], count: setting.workers)
        let bounds = Self.bounds(setting, &generator)
        for rank in 0..<setting.workers {
            let plan = try RingPlan(
                rank: rank, shardBounds: bounds, count: setting.count,
                chunkElements: setting.chunkElements, collective: setting.schedule.collective,
                wire: setting.wire, inPlace: setting.schedule == .inPlace)
            members.append(
                MemoryMember(
                    plan, window: setting.window, wire: setting.wire, sendsByMemory: lanes(rank)))
        }
        for member in members { member.members = { [unowned self] in self.members } }
        for member in members { member.begin(step: 1, of: gradients) }
    }

    private static func bounds(_ setting: Setting, _ generator: inout SeededGenerator) -> [Int] {
        let cuts = Array(1..<setting.shards).shuffled(using: &generator)
        return [0] + cuts.prefix(setting.workers - 1).sorted() + [setting.shards]
    }

    /// One random thing that may happen; false if nothing can.
    func move() -> Bool {
        let workers = setting.workers
        let start = Int.random(in: 0..<4 * workers, using: &generator)
        for offset in 0..<4 * workers {
            let choice = (start + offset) % (4 * workers)
            if move(choice / workers, worker: choice % workers) { return true }
        }
        return false
    }

    private func move(_ what: Int, worker: Int) -> Bool {
        let member = members[worker]
        let next = (worker + 1) % setting.workers
        switch what {
        case 0:
            guard !forward[worker].isEmpty else { return false }
            members[next].receive(forward[worker].removeFirst(), from: .predecessor)
        case 1:
            guard !backward[worker].isEmpty else { return false }
            let previous = (worker + setting.workers - 1) % setting.workers
            members[previous].receive(backward[worker].removeFirst(), from: .successor)
        case 2:
            guard member.localLeft > 0 else { return false }
            member.ready(Int.random(in: 1...member.localLeft, using: &generator))
        default:
            guard member.go() else { return false }
        }
        collect()
        return true
    }

    private func collect() {
        for worker in members.indices {
            for frame in members[worker].toSuccessor {
                forward[worker] += disturb?(frame, &generator) ?? [frame]
            }
            members[worker].toSuccessor = []
            for frame in members[worker].toPredecessor {
                backward[worker] += disturb?(frame, &generator) ?? [frame]
            }
            members[worker].toPredecessor = []
        }
    }
}
