import Coordination
import Foundation
import Links
import Messaging
import Model
import Parameters
import Ring
import Text
import Threads
import Training
import Wire

/// What a worker computes for a run: gradients, folds, updates, losses.
struct Computation {
    private let pool: LanePool
    private let ring: RingThread
    private let post: @Sendable (LaneEvent) -> Void
    private var run: UInt64 = 0
    private var job: WorkerJob?
    private var runner: StepRunner?
    private var pending: PendingVote?
    private var attempts = 0

    init(
        on pool: LanePool, folding ring: RingThread, post: @escaping @Sendable (LaneEvent) -> Void
    ) {
        self.pool = pool
        self.ring = ring
        self.post = post
    }

    /// Grows whenever a lane has got somewhere.
    var progress: UInt64 { runner?.progress.load(ordering: .relaxed) ?? 0 }

    // MARK: orders

    /// Builds the model of a run and takes its memory.
    mutating func build(_ welcome: Welcome) throws -> StepRunner {
        run = welcome.run
        let job = try JSONDecoder().decode(WorkerJob.self, from: Data(welcome.configuration))
        self.job = job
        let model = try Transformer(
            job.architecture, precision: job.configuration.optimizer.precision)
        // θ, m, v, the total and one gradient; a part of one more is θ rounded.
        try model.requireMemory(vectors: model.precision.keepsCopies ? 6 : 5)
        let runner = StepRunner(
            model: model, arithmetic: job.configuration.optimizer.arithmetic, pool: pool,
            sink: ring, total: sharedTotal(count: model.layout.count), post: post)
        self.runner = runner
        return runner
    }

    /// A total vector that neighbours of this host can map; any other if there is no such memory.
    private func sharedTotal(count: Int) -> ParameterVector {
        do throws(MessagingError) {
            let memory = try SharedMemory(byteCount: max(4, 4 * count), writable: false)
            ring.share(memory)
            return memory.vector(count: count)
        } catch {
            // Said when a neighbour is there that would map it.
            ring.share(failure: error)
            return ParameterVector(count: count)
        }
    }

    func initialise() { runner?.initialise() }

    mutating func form(_ roster: Roster, through relay: RelayAccess?, patience: Milliseconds) {
        guard let job else { return }
        pending = nil
        ring.relay(through: relay)
        ring.form(
            RingMembership(
                run: run, generation: roster.generation, rank: roster.rank,
                shardBounds: roster.bounds, successor: roster.successor,
                transport: job.configuration.cluster.transport,
                collective: job.configuration.cluster.collective,
                wire: job.configuration.cluster.wire, seed: job.configuration.optimizer.seed,
                predecessorIsRelayed: roster.predecessorIsRelayed,
                patience: .milliseconds(patience.count), keys: roster.keys,
                chunkBytes: roster.chunkBytes > 0 ? roster.chunkBytes : nil,
                boards: roster.boards))
    }

    mutating func compute(_ order: StepOrder) throws {
        guard let inputs = try inputs(order.shards) else { return }
        attempts += 1
        pending = PendingVote(order: order, attempt: attempts)
        runner?.compute(order, inputs, attempt: attempts)
    }

    func evaluate(_ order: EvaluationOrder) throws {
        guard let inputs = try inputs(order.shards) else { return }
        runner?.evaluate(order, inputs)
    }

    /// The shards as the model takes them; throws for one that does not fit the model.
    private func inputs(_ shards: [ShardWords]) throws -> [(shard: Int, input: ModelInput)]? {
        guard let job else { return nil }
        return try shards.map { words in
            let input = ModelInput(try Shard(flattened: words.words))
            try input.validate(for: job.architecture)
            return (words.shard, input)
        }
    }

    func update(step: Int, skipped: Bool) {
        guard let pending, let norm = pending.squaredNorm else {
            preconditionFailure("an update of step \(step), which was not folded")
        }
        runner?.update(
            step: step, skipped: skipped, squaredNorm: norm,
            learningRate: pending.order.learningRate)
    }

    // MARK: what comes of them

    /// Returns what a lane's word means to the session; `held`: the state before an update that
    /// has written none.
    mutating func take(_ event: LaneEvent, held: HeldState?) -> [WorkerEvent] {
        switch event {
        case .initialised(let digest): return [.initialised(digest)]
        case .written(let digest, let writing):
            guard let runner, writing == runner.writings else { return [] }
            return [.stateStored(HeldState(step: runner.state.step, digest: digest))]
        case .updated(let step, let digest, let span):
            guard let digest = digest ?? held?.digest else { return [] }
            let state = HeldState(step: step, digest: digest)
            return [.reports(.updated(Update(state, span: span)))]
        case .evaluated(let evaluation): return [.reports(.evaluated(evaluation))]
        case .computed(let reports, let span, let attempt):
            let vote = complete(attempt) {
                $0.reports = reports
                $0.compute = span
            }
            guard let pending, pending.attempt == attempt else { return vote }
            return vote + [.computed(step: pending.order.step)]
        case .stateDigest(let digest, let attempt): return complete(attempt) { $0.state = digest }
        case .squaredNorm(let norm, let layers, let attempt):
            let bad = norm.isFinite ? [] : runner?.nonFiniteShards() ?? []
            return complete(attempt) {
                $0.squaredNorm = norm
                $0.layerNorms = layers
                $0.nonFiniteShards = bad
            }
        }
    }

    /// The ring has folded a step.
    mutating func folded(
        _ step: UInt64, _ digest: FastDigest, _ timings: RingTimings
    ) -> [WorkerEvent] {
        guard let pending, pending.order.step == Int(step) else { return [] }
        let vote = complete(pending.attempt) {
            $0.total = digest
            $0.fold = WorkerSpan(
                from: Clock.moment(timings.begun), to: Clock.moment(timings.ended))
            $0.link = timings.link
        }
        runner?.normTotal(
            measuresLayers: pending.order.measuresLayers, attempt: pending.attempt)
        return vote
    }

    /// Adds a part to the vote at hand; returns the vote once it is whole.
    private mutating func complete(
        _ attempt: Int, _ change: (inout PendingVote) -> Void
    ) -> [WorkerEvent] {
        guard pending?.attempt == attempt else { return [] }
        change(&pending!)
        return pending?.vote.map { [.reports(.voted($0))] } ?? []
    }
}
