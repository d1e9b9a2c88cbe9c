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

/// One worker of a ring in memory: obeys its fold as a real one would.
final class MemoryMember {
    let plan: RingPlan
    let window: Int
    let wire: WireFormat
    var fold: Fold
    var numbers: StepNumbers
    var early: [[UInt8]] = []
    var mostEarly = 0
    var drops: [DropReason: Int] = [:]
    var violation: Violation?
    /// Elements not computed yet, and frames for the neighbours.
    var localLeft: Int
    var toSuccessor: [[UInt8]] = []
    var toPredecessor: [[UInt8]] = []
    /// Where sums lie that are sent by memory.
    weak var predecessor: MemoryMember?
    /// All shards', where each worker has its own: what a fold in place reads.
    var all: ChunkSum
    var sendsByMemory = false
    var digests: [FastDigest?] = []

    init(
        _ plan: RingPlan, step: UInt64, window: Int, gradients: [ParameterVector],
        all: [ParameterVector], wire: WireFormat = .f32
    ) {
        self.all = ChunkSum(all, rounding: Self.rounding(wire, step))
        self.wire = wire
        self.plan = plan
        self.window = window
        fold = Fold(
            plan: plan, run: 7, generation: Self.generation, step: step, window: window)
        numbers = Self.numbers(plan, gradients, Self.rounding(wire, step))
        localLeft = plan.count
        digests = Array(repeating: nil, count: plan.chunks)
    }

    var total: ParameterVector { numbers.total }

    static func rounding(_ wire: WireFormat, _ step: UInt64) -> StochasticRounding {
        StochasticRounding(wire, seed: 9, step: step)
    }

    private static func numbers(
        _ plan: RingPlan, _ gradients: [ParameterVector], _ rounding: StochasticRounding
    ) -> StepNumbers {
        StepNumbers(
            gradients: gradients, total: ParameterVector(count: plan.count),
            blocks: FastDigest.Blocks(
                byteCount: 4 * plan.count, blockBytes: StepNumbers.blockBytes),
            firstShard: plan.own.lowerBound, rounding: rounding)
    }

    static let generation = Generation(epoch: 3, counter: 4)

    func begin(step: UInt64, of every: [ParameterVector]) {
        let gradients = Array(every[plan.own])
        all = ChunkSum(every, rounding: Self.rounding(wire, step))
        fold = Fold(
            plan: plan, run: 7, generation: Self.generation, step: step, window: window)
        numbers = Self.numbers(plan, gradients, Self.rounding(wire, step))
        localLeft = plan.count
        digests = Array(repeating: nil, count: plan.chunks)
        let held = early
        early = []
        for frame in held { receive(frame, from: .predecessor) }
    }

    func receive(_ frame: [UInt8], from neighbour: Neighbour) {
        var frame = frame
        frame.withUnsafeMutableBytes { bytes in
            let header: FrameHeader
            do throws(FrameError) {
                header = try FrameHeader(UnsafeRawBufferPointer(bytes))
            } catch {
                violation = .frame(error)
                return
            }
            switch fold.receive(header, from: neighbour) {
            case .act(let action): perform(action, bytes, header)
            case .noted: break
            case .early:
                early.append(Array(bytes))
                mostEarly = max(mostEarly, early.count)
            case .drop(let reason): drops[reason, default: 0] += 1
            case .broken(let broken): violation = broken
            }
        }
    }

    /// Obeys one action; false if there is none.
    func step() -> Bool {
        guard let action = fold.next() else { return false }
        perform(action, nil)
        return true
    }

    private func perform(
        _ action: FoldAction, _ frame: UnsafeMutableRawBufferPointer?, _ header: FrameHeader? = nil
    ) {
        switch action {
        case .park where plan.isInPlace: break
        case .passOn(let chunk, _) where plan.isInPlace:
            toSuccessor.append(fold.partialHeader(chunk: chunk).sealed())
        case .finish(let chunk, _, let forward) where plan.isInPlace:
            digests[chunk] = numbers.finish(plan.elements(ofChunk: chunk), of: all)
            if forward { perform(.forward(chunk: chunk), nil) }
        case .park(let chunk):
            if header!.place == .memory {
                digests[chunk] = header!.digest
            } else {
                let bytes = UnsafeRawBufferPointer(rebasing: frame![FrameHeader.byteCount...])
                _ = numbers.park(
                    ChunkOperand(checked: bytes), plan.elements(ofChunk: chunk))
            }
        case .passOn(let chunk, let base):
            let range = plan.elements(ofChunk: chunk)
            guard
                let digest = numbers.add(
                    range, onto: operand(chunk, base, frame, header), into: numbers.place(of: range)
                )
            else {
                violation = .frame(.checksum)
                return
            }
            send(fold.partialHeader(chunk: chunk), digest, range)
        case .finish(let chunk, let base, let forward):
            guard
                let digest = numbers.finish(
                    plan.elements(ofChunk: chunk), onto: operand(chunk, base, frame, header))
            else {
                violation = .frame(.checksum)
                return
            }
            digests[chunk] = digest
            if forward { perform(.forward(chunk: chunk), nil) }
        case .store(let chunk, let forward):
            let operand = operand(chunk, .frame, frame, header)!
            guard let digest = numbers.store(operand, plan.elements(ofChunk: chunk)) else {
                violation = .frame(.checksum)
                return
            }
            digests[chunk] = digest
            if forward { perform(.forward(chunk: chunk), nil) }
        case .forward(let chunk):
            send(fold.totalHeader(chunk: chunk), digests[chunk]!, plan.elements(ofChunk: chunk))
        case .grant(let partials, let totals):
            toPredecessor.append(
                fold.creditHeader(partials: partials, totals: totals).sealed())
        case .complete:
            #expect(
                numbers.digest() == FastDigest(total, blockBytes: StepNumbers.blockBytes))
        }
    }

    private func operand(
        _ chunk: Int, _ base: FoldAction.Base, _ frame: UnsafeMutableRawBufferPointer?,
        _ header: FrameHeader?
    ) -> ChunkOperand? {
        let range = plan.elements(ofChunk: chunk)
        let expected: FastDigest
        switch base {
        case .nothing: return nil
        case .frame where header!.place == .frame:
            return ChunkOperand(
                checked: UnsafeRawBufferPointer(rebasing: frame![FrameHeader.byteCount...]),
                digest: header!.digest)
        case .frame: expected = header!.digest
        case .parked:
            guard let parked = digests[chunk] else {
                return ChunkOperand(checked: UnsafeRawBufferPointer(numbers.place(of: range)))
            }
            expected = parked
        }
        return ChunkOperand(
            UnsafeRawBufferPointer(predecessor!.numbers.place(of: range)), checkedBy: expected)
    }

    /// In a frame, or by saying that it lies in the total vector.
    private func send(_ header: FrameHeader, _ digest: FastDigest, _ range: Range<Int>) {
        var header = header
        header.digest = digest
        if sendsByMemory {
            header.place = .memory
            toSuccessor.append(header.sealed())
        } else {
            var built = [UInt8](repeating: 0, count: header.frameBytes)
            built.withUnsafeMutableBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: bytes[FrameHeader.byteCount...])
                    .copyMemory(from: UnsafeRawBufferPointer(numbers.place(of: range)))
                header.seal(bytes)
            }
            toSuccessor.append(built)
        }
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
                    plan, step: 1, window: setting.window,
                    gradients: Array(gradients[plan.own]), all: gradients, wire: setting.wire))
            members[rank].sendsByMemory = lanes(rank)
        }
        for rank in members.indices {
            members[rank].predecessor = members[(rank + setting.workers - 1) % setting.workers]
        }
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
            member.localLeft -= Int.random(in: 1...member.localLeft, using: &generator)
            member.fold.localReady(downTo: member.localLeft)
        default:
            guard member.step() else { return false }
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
