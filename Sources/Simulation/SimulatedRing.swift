import Coordination
import Parameters
import Ring
import Wire

/// The ring of one generation as one member knows it: real folds over links in memory.
struct SimulatedRing {
    let generation: Generation
    let rank: Int
    let bounds: [Int]
    let successor: Int?
    /// By rank, if sums are made of gradients where they lie.
    let boards: [MemoryPlace]
    var folds: FoldSeries
    /// The total vector of the member that has said `here`.
    var predecessor: (slot: Int, memory: ToyMemory)?
    var successorIsThere = false
    var isFormed = false
    var isBroken = false
    /// Frames that came before the order of their step.
    var held: [[UInt8]] = []
    /// What the kernel has not taken yet: numbers are read when it does.
    var queue: [Carry] = []
    /// The fold is complete here, and has not been reported.
    var isUnread = false
    /// The order is there, but the successor still reads the step before.
    var isWaiting = false

    var workers: Int { bounds.count - 1 }
    var own: Range<Int> { bounds[rank]..<bounds[rank + 1] }
}

/// A step that is being folded.
struct FoldAtHand {
    let order: StepOrder
    let generation: Generation
    /// On the worker's clock.
    let begun: Int64
    /// The same moment on the world's clock, in seconds.
    let start: Double
    var compute = WorkerSpan(begin: 0, end: 0)
    /// When the total was whole.
    var ended: Int64 = 0
    var isAbandoned = false
    var total: FastDigest?
}

/// A message from one member to another.
struct RingParcel {
    enum Content {
        /// Says hello to the successor; `from` tells whom to answer.
        case here
        case hereToo
        /// Bytes as they go over a link, to the successor or back.
        case frame([UInt8], from: Neighbour)
    }

    var from: Int
    var generation: Generation
    var content: Content
}

/// Vectors of a process that others of its host may read; they outlive it where they are mapped.
final class ToyMemory {
    /// What the vectors of a step are, as a board tells it.
    struct Posting {
        var generation: Generation
        var step: UInt64
        var own: Range<Int>
    }

    let total: ParameterVector
    let gradients: [ParameterVector]
    /// Steps take the halves in turn.
    var board: [Posting?] = [nil, nil]

    init(shards: Int) {
        let bytes = (ToyModel.count * 4 + 63) / 64 * 64
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: bytes * (shards + 1), alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes * (shards + 1))
        let owner = Owner(memory)
        let vectors = (0...shards).map { index in
            ParameterVector(
                memory: (memory + index * bytes).assumingMemoryBound(to: Float.self),
                count: ToyModel.count
            ) { withExtendedLifetime(owner) {} }
        }
        total = vectors[shards]
        gradients = Array(vectors[..<shards])
    }

    private final class Owner: @unchecked Sendable {
        let memory: UnsafeMutableRawPointer
        init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }
        deinit { memory.deallocate() }
    }
}

extension SimulatedWorker {
    // MARK: Forming

    func formRing(_ roster: Roster) {
        let old = ring?.generation
        ring = SimulatedRing(
            generation: roster.generation, rank: roster.rank, bounds: roster.bounds,
            successor: roster.successor.flatMap { Int($0.tcp) }, boards: roster.boards,
            folds: FoldSeries(
                run: 1, generation: roster.generation, window: world.plan.window,
                wire: world.plan.wire, seed: world.plan.seed))
        fold = nil
        if let old { world.breakRings(of: old, with: slot, because: "\(name) formed another") }
        guard let successor = ring?.successor else { return tellWhetherFormed() }
        send(.here, to: successor)
        let parcels = early
        early = []
        for parcel in parcels { take(parcel) }
    }

    private func send(_ content: RingParcel.Content, to slot: Int) {
        guard let ring else { return }
        world.send(
            RingParcel(from: self.slot, generation: ring.generation, content: content), to: slot)
    }

    func take(_ parcel: RingParcel) {
        guard let ring, parcel.generation <= ring.generation else {
            // Its sender will say so again; frames come only when both ends have formed.
            if case .frame = parcel.content { return }
            if early.count < 64 { early.append(parcel) }
            return
        }
        switch parcel.content {
        case .here where parcel.generation == ring.generation:
            if ring.predecessor == nil {
                self.ring?.predecessor = (parcel.from, world.workers[parcel.from].memory)
            }
            send(.hereToo, to: parcel.from)
            tellWhetherFormed()
        case .hereToo where parcel.generation == ring.generation:
            self.ring?.successorIsThere = true
            tellWhetherFormed()
        case .frame(let bytes, let neighbour):
            // A link leads to this neighbour alone, whichever its generation.
            guard
                parcel.from == (neighbour == .predecessor ? ring.predecessor?.slot : ring.successor)
            else { return }
            judge(bytes, from: neighbour)
            pump()
        default: break
        }
    }

    private func tellWhetherFormed() {
        guard let ring, !ring.isFormed,
            ring.workers == 1 || (ring.predecessor != nil && ring.successorIsThere)
        else { return }
        self.ring?.isFormed = true
        later(100) { [self] in handle(.reports(.formed(ring.generation))) }
    }

    // MARK: Steps

    /// Begins to fold the step at hand, once nobody reads the step before.
    func beginFold() {
        guard let ring, !ring.isBroken, let fold, !fold.isAbandoned else { return }
        self.ring!.folds.readsPredecessor =
            ring.predecessor.map {
                !ring.boards.isEmpty || world.plan.readsMemory(from: slot, of: $0.slot)
            } ?? false
        self.ring!.folds.release(before: UInt64(fold.order.step))
        guard self.ring!.folds.isClear else {
            world.meets(.waitsForReader)
            self.ring!.isWaiting = true
            return pump()
        }
        self.ring!.isWaiting = false
        if !ring.boards.isEmpty { world.meets(.sumsInPlace) }
        if self.ring!.folds.readsPredecessor { world.meets(.readsMemory) }
        do throws(RingPlanError) {
            let plan = try RingPlan(
                rank: ring.rank, shardBounds: ring.bounds, count: ToyModel.count,
                chunkElements: world.plan.chunkElements, collective: .fold, wire: world.plan.wire,
                inPlace: !ring.boards.isEmpty)
            self.ring!.folds.begin(
                step: UInt64(fold.order.step), plan: plan,
                gradients: ring.own.map { memory.gradients[$0] }, total: memory.total,
                ways: ways(ring, step: UInt64(fold.order.step)))
            memory.board[fold.order.step % 2] = ToyMemory.Posting(
                generation: ring.generation, step: UInt64(fold.order.step), own: ring.own)
        } catch {
            return world.fail("\(name) has no plan for its ring: \(error)")
        }
        giveHeldAgain()
        pump()
    }

    private func ways(_ ring: SimulatedRing, step: UInt64) -> FoldWays {
        var ways = FoldWays()
        if let successor = ring.successor {
            ways.sendsByMemory =
                !ring.boards.isEmpty || world.plan.readsMemory(from: successor, of: slot)
        }
        ways.predecessor = ring.predecessor?.memory.total
        guard !ring.boards.isEmpty else { return ways }
        ways.all = { [unowned self] () throws(FoldFault) in
            var all = FoldVectors()
            for (rank, place) in ring.boards.enumerated() {
                let other = world.workers[Int(place.process)]
                guard other.life == Int(place.inode), other.isAlive,
                    let posting = other.memory.board[Int(step % 2)], posting.step == step,
                    posting.generation == ring.generation,
                    posting.own == ring.bounds[rank]..<ring.bounds[rank + 1]
                else { throw .apart(reason: "a board is of another step") }
                all.gradients += posting.own.map { other.memory.gradients[$0] }
                all.totals.append(other.memory.total)
            }
            return all
        }
        return ways
    }

    func abandonFold() {
        fold?.isAbandoned = true
        guard ring != nil else { return }
        ring!.folds.abandon(upTo: ring!.isWaiting ? UInt64(fold?.order.step ?? 0) : 0)
        ring!.isWaiting = false
        ring!.isUnread = false
        flush()
        giveHeldAgain()
        pump()
    }

    /// Own gradients are final from this element on.
    private var watermark: Int {
        guard let ring else { return ToyModel.count }
        return ring.own.map { gradients.contains($0) ? 0 : watermarks[$0] ?? ToyModel.count }.max()!
    }

    /// Does what the folds want, some of it later where the thread is slow.
    func pump() {
        guard ring != nil, !ring!.isBroken, !isPumping else { return }
        if fold?.isAbandoned == false { ring!.folds.ready(downTo: watermark) }
        var left = world.plan.has(.slowRing) ? world.random.number(0...3) : Int.max
        while ring != nil, !ring!.isBroken, left > 0, let outcome = ring!.folds.next() {
            left -= 1
            obey(outcome)
        }
        guard left == 0 else { return }
        isPumping = true
        later(world.random.number(10...400)) { [self] in
            isPumping = false
            pump()
        }
    }

    // MARK: Frames

    private func judge(_ bytes: [UInt8], from neighbour: Neighbour) {
        guard ring != nil, !ring!.isBroken else { return }
        bytes.withUnsafeBytes { frame in
            do throws(FrameError) {
                // Half of the links check the numbers before the fold does.
                let isChecked = slot.isMultiple(of: 2)
                var header =
                    isChecked ? try FrameHeader(frame) : try FrameHeader(leading: frame)
                if world.plan.countsStaleFrames { header.generation = ring!.generation }
                guard frame.count == header.frameBytes else { throw .truncated(frame.count) }
                let numbers = UnsafeRawBufferPointer(rebasing: frame[FrameHeader.byteCount...])
                obey(
                    ring!.folds.receive(header, numbers, isChecked: isChecked, from: neighbour),
                    bytes)
            } catch {
                breakRing(.violation(neighbour, .frame(error)))
            }
        }
    }

    private func giveHeldAgain() {
        let held = ring?.held ?? []
        ring?.held = []
        for bytes in held { judge(bytes, from: .predecessor) }
    }

    private func obey(_ outcome: FoldOutcome, _ bytes: [UInt8]? = nil) {
        switch outcome {
        case .taken: break
        case .send(let carry):
            ring!.queue.append(carry)
            guard world.plan.has(.slowKernel) else { return flush() }
            let generation = ring!.generation
            later(world.random.number(0...300)) { [self] in
                if ring?.generation == generation { flush() }
            }
        case .reply(let header):
            if let predecessor = ring!.predecessor {
                send(.frame(header.sealed(), from: .successor), to: predecessor.slot)
            }
        case .early:
            world.meets(.keepsEarlyFrame)
            ring!.held.append(bytes!)
        case .dropped(let reason):
            if reason == .otherGeneration { world.meets(.dropsStaleFrame) }
            if reason == .duplicate { world.meets(.dropsRepeatedFrame) }
        case .released:
            reportFolded()
            if ring!.isWaiting { beginFold() }
        case .complete(let digest, _):
            fold?.total = digest
            ring!.isUnread = true
            reportFolded()
        case .broken(let fault): breakRing(fault)
        }
    }

    /// The kernel takes what waits: numbers are read where they lie.
    private func flush() {
        guard let ring, !ring.queue.isEmpty else { return }
        self.ring!.queue = []
        for carry in ring.queue {
            var carry = carry
            var frame = [UInt8](repeating: 0, count: carry.header.frameBytes)
            frame.withUnsafeMutableBytes { bytes in
                if carry.header.payloadBytes > 0 {
                    carry.write(
                        into: UnsafeMutableRawBufferPointer(
                            rebasing: bytes[FrameHeader.byteCount...]))
                }
                carry.header.sealHeader(bytes)
            }
            if let successor = ring.successor {
                send(.frame(frame, from: .predecessor), to: successor)
            }
        }
        reportFolded()
    }

    private func breakRing(_ fault: FoldFault) {
        guard let ring, !ring.isBroken else { return }
        self.ring!.isBroken = true
        self.ring!.isUnread = false
        self.ring!.queue = []
        let report: RingFault
        switch fault {
        case .violation(let neighbour, let violation):
            world.meets(.breaksByViolation)
            report = RingFault(
                .violation, neighbour == .predecessor ? .predecessor : .successor,
                detail: "\(violation)")
        case .apart(let reason):
            world.meets(.cannotRead)
            report = RingFault(.apart, detail: reason)
        }
        if !world.mayBreak(ring, fault) {
            world.fail("\(name) finds \(fault) where nobody has done wrong")
        }
        handle(.reports(.ringBroken(ring.generation, report)))
    }

    // MARK: The end of a fold

    /// Says that the step is folded, once the total may be overwritten.
    private func reportFolded() {
        guard let ring, ring.isUnread,
            !ring.boards.isEmpty || (ring.folds.isClear && ring.queue.isEmpty)
        else { return }
        self.ring!.isUnread = false
        guard let fold, !fold.isAbandoned else { return }
        self.fold?.ended = clock
        if world.plan.linkRates.isEmpty {
            world.audit.was(
                .fold, session.name, step: fold.order.step, from: fold.start,
                to: world.instant.seconds)
        }
        later(500) { [self] in vote(fold.order, fold.generation) }
    }

    private func vote(_ order: StepOrder, _ generation: Generation) {
        guard let fold, let state, fold.order == order, fold.generation == generation,
            let total = fold.total, !fold.isAbandoned
        else { return }
        let reports = fold.order.shards.map {
            ShardReport(shard: $0.shard, smoothed: 1, negativeLogLikelihood: 1, labels: 1)
        }
        let vote = Vote(
            generation: fold.generation, step: fold.order.step, total: total,
            state: digest(of: state),
            squaredNorm: Double(memory.total.floats().reduce(0) { $0 + $1 * $1 }),
            nonFiniteShards: [], reports: reports, compute: fold.compute,
            fold: WorkerSpan(
                begin: fold.begun,
                end: world.plan.linkRates.isEmpty ? fold.ended : fold.compute.end + 50_000_000),
            linkRate: world.linkRate(from: slot, to: ring?.successor))
        handle(.reports(.voted(vote)))
    }

    /// Returns the digest of the state as it lies in memory; with the canary, as it was once
    /// written.
    private func digest(of state: ToyState) -> FastDigest {
        guard world.plan.trustsMemory, let held = session.held else { return state.digest }
        return held.digest
    }

    func ringBroke(_ generation: Generation, because reason: String) {
        if let ring, ring.generation > generation { world.meets(.formsWhileLastBreaks) }
        if ring?.generation == generation {
            ring!.isBroken = true
            ring!.isUnread = false
            ring!.queue = []
        }
        handle(
            .reports(.ringBroken(generation, RingFault(.lost, .successor, detail: reason))))
    }
}
