import Coordination
import Parameters
import Wire

/// The ring of one generation, as one member knows it.
struct ToyRing {
    let generation: Generation
    let rank: Int
    let bounds: [Int]
    let successor: Int?
    var predecessorIsThere = false
    var successorIsThere = false
    /// Partials and totals that came before the order of their step.
    var waiting: [RingFrame] = []

    var workers: Int { bounds.count - 1 }
    var own: Range<Int> { bounds[rank]..<bounds[rank + 1] }
}

/// A step that is being folded.
struct ToyFold {
    let order: StepOrder
    let generation: Generation
    /// On the worker's clock.
    let begun: Int64
    /// The same moment on the world's clock, in seconds.
    let start: Double
    var compute = WorkerSpan(begin: 0, end: 0)
    /// When the total was whole.
    var ended: Int64 = 0
    var partial: ToySum?
    var isPassedOn = false
    var isAbandoned = false
    var total: ToySum?
}

/// A message from one member to another.
struct RingFrame {
    enum Content {
        /// Says hello to the successor; `from` tells whom to answer.
        case here
        case hereToo
        case partial(step: Int, ToySum)
        case total(step: Int, ToySum)
    }

    var from: Int
    var generation: Generation
    var content: Content
}

extension SimulatedWorker {
    func formRing(_ roster: Roster) {
        let old = ring?.generation
        let successor = roster.successor.flatMap { Int($0.tcp) }
        ring = ToyRing(
            generation: roster.generation, rank: roster.rank, bounds: roster.bounds,
            successor: successor)
        fold = nil
        if let old { world.breakRings(of: old, with: slot, because: "\(name) formed another") }
        guard let successor else {
            return later(100) { [self] in handle(.reports(.formed(roster.generation))) }
        }
        send(.here, to: successor)
        let frames = early
        early = []
        for frame in frames { take(frame) }
    }

    private func send(_ content: RingFrame.Content, to slot: Int) {
        guard let ring else { return }
        world.send(
            RingFrame(from: self.slot, generation: ring.generation, content: content), to: slot)
    }

    func take(_ frame: RingFrame) {
        let isStale = ring.map { frame.generation < $0.generation } ?? false
        if isStale && !world.plan.countsStaleFrames { return }
        guard let ring, frame.generation <= ring.generation else {
            if early.count < 64 { early.append(frame) }
            return
        }
        switch frame.content {
        case .here where !isStale:
            self.ring?.predecessorIsThere = true
            send(.hereToo, to: frame.from)
            tellWhetherFormed()
        case .hereToo where !isStale:
            self.ring?.successorIsThere = true
            tellWhetherFormed()
        case .partial(let step, let sum), .total(let step, let sum):
            guard let fold, fold.order.step == step, fold.generation == ring.generation else {
                if ring.waiting.count < 8 { self.ring?.waiting.append(frame) }
                return
            }
            if case .partial = frame.content { self.fold?.partial = sum } else { finish(sum) }
            goOnFolding()
        default: break
        }
    }

    private func tellWhetherFormed() {
        guard let ring, ring.predecessorIsThere, ring.successorIsThere else { return }
        self.ring?.predecessorIsThere = false
        later(100) { [self] in handle(.reports(.formed(ring.generation))) }
    }

    /// Adds the own gradients as soon as they and the sum of those before them are there.
    func goOnFolding() {
        takeWaiting()
        guard let ring, let fold, !fold.isPassedOn, !fold.isAbandoned, fold.total == nil,
            fold.generation == ring.generation, ring.rank == 0 || fold.partial != nil
        else { return }
        let own = ring.own.compactMap { gradients[$0] }
        guard own.count == ring.own.count else { return }
        self.fold?.isPassedOn = true
        let sum = ToyModel.add(ring.rank == 0 ? nil : fold.partial, own)
        if ring.rank == ring.workers - 1 {
            finish(sum)
        } else if let successor = ring.successor {
            send(.partial(step: fold.order.step, sum), to: successor)
        }
    }

    private func takeWaiting() {
        let frames = ring?.waiting ?? []
        ring?.waiting = []
        for frame in frames { take(frame) }
    }

    private func finish(_ total: ToySum) {
        guard let ring, let fold, fold.total == nil, !fold.isAbandoned else { return }
        self.fold?.total = total
        self.fold?.ended = clock
        if world.plan.linkRates.isEmpty {
            world.audit.was(
                .fold, session.name, step: fold.order.step, from: fold.start,
                to: world.instant.seconds)
        }
        // The last of the fold begins the total's way round, which ends with the one before it.
        if ring.workers > 1, ring.rank != ring.workers - 2, let successor = ring.successor {
            send(.total(step: fold.order.step, total), to: successor)
        }
        later(500) { [self] in vote(total) }
    }

    private func vote(_ total: ToySum) {
        guard let fold, let state, fold.total == total, !fold.isAbandoned else { return }
        let reports = fold.order.shards.map {
            ShardReport(shard: $0.shard, smoothed: 1, negativeLogLikelihood: 1, labels: 1)
        }
        let vote = Vote(
            generation: fold.generation, step: fold.order.step,
            total: ToyModel.digest(total.values), state: digest(of: state),
            squaredNorm: Double(total.values.reduce(0) { $0 + $1 * $1 }), nonFiniteShards: [],
            reports: reports, compute: fold.compute,
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
        handle(
            .reports(.ringBroken(generation, RingFault(.lost, .successor, detail: reason))))
    }
}
