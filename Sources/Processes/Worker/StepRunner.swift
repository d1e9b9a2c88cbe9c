import Coordination
import Links
import Model
import Parameters
import Settings
import Synchronization
import Threads
import Training
import Wire

/// What the lanes tell the worker's loop.
enum LaneEvent: Sendable {
    // `attempt` says which order of a step this belongs to: a step may be ordered again.
    case computed(reports: [ShardReport], span: WorkerSpan, attempt: Int)
    case stateDigest(FastDigest, attempt: Int)
    case squaredNorm(Double, layers: [Double], attempt: Int)
    /// `digest` of θ, m and v as they were written; nil where nothing was.
    case updated(step: Int, digest: FastDigest?, span: WorkerSpan)
    case evaluated(Evaluation)
    case initialised(FastDigest)
    /// Digest of a state that has come from elsewhere, unless more of it has come since.
    case written(FastDigest, writing: Int)
}

/// Does a worker's arithmetic on its lanes: gradients, digests, norms, updates, losses.
///
/// Every result depends on the shard, the state and the run's settings alone, never on the number
/// of lanes: shards are whole on one lane, sums over vectors run over fixed blocks.
final class StepRunner: @unchecked Sendable {
    let model: Transformer
    let state: TrainingState
    private(set) var total: ParameterVector
    /// Where the total lies but for the steps that keep one: neighbours can map it.
    private let sharedTotal: ParameterVector
    let arithmetic: StepArithmetic
    /// θ rounded, if that is of use, and after how many `writings`; updates keep it current.
    private let copies: RoundedVector?
    private let writingOfCopies = Atomic(-1)
    private let pool: LanePool
    private let lanes: [Lane]
    private let post: @Sendable (LaneEvent) -> Void
    private let sink: any GradientSink
    private let table: Mutex<ShardTable>
    /// The total of the last update, for those who learn the state.
    private(set) var keptTotal: KeptTotal?
    private var keepsTotalsUntil = 0
    /// Grows with every piece of state that comes from elsewhere.
    private(set) var writings = 0
    /// Grows whenever a lane has got somewhere; heartbeats carry it.
    let progress = Atomic<UInt64>(0)

    init(
        model: Transformer, arithmetic: StepArithmetic, pool: LanePool,
        sink: any GradientSink, total: ParameterVector,
        post: @escaping @Sendable (LaneEvent) -> Void
    ) {
        self.model = model
        self.arithmetic = arithmetic
        self.pool = pool
        self.sink = sink
        self.post = post
        let count = model.layout.count
        copies = model.precision.keepsCopies ? RoundedVector(count: count) : nil
        state = TrainingState(
            parameters: ParameterVector(count: count), trainable: model.layout.trainable)
        self.total = total
        sharedTotal = total
        lanes = (0..<pool.count).map { _ in Lane(model) }
        table = Mutex(ShardTable(parameterCount: count, sink: sink))
    }

    /// Draws θ from the run's seed; m and v become zero.
    func initialise() {
        stateIsWritten()
        let model = model
        let state = state
        let arithmetic = arithmetic
        let post = post
        pool.run { lane in
            guard lane == 0 else { return }
            arithmetic.begin(state, of: model)
        } then: { [self] in
            digest { post(.initialised($0)) }
        }
    }

    /// The state changes otherwise than by an update: nothing computed from it counts.
    func stateIsWritten() {
        writings += 1
        table.withLock { $0.forgetAll() }
    }

    /// Takes the digest of a state that has come whole from elsewhere.
    func digestWritten() {
        let writing = writings
        let post = post
        digest { post(.written($0, writing: writing)) }
    }

    // MARK: gradients

    /// Computes the gradients of `inputs` that are not there yet, feeding the fold as they appear.
    func compute(
        _ order: StepOrder, _ inputs: [(shard: Int, input: ModelInput)], attempt: Int
    ) {
        let start = Clock.now
        if !sink.canFold(total) { total = sink.vector(count: total.count) }
        table.withLock { table in
            table.arrange(step: order.step, inputs: inputs)
            sink.begin(
                step: UInt64(order.step), gradients: table.own.map(\.gradient), total: total)
            for (index, work) in table.own.enumerated() {
                switch work.progress {
                case .pending: break
                case .running(let offset): sink.finished(shard: index, downTo: offset)
                case .done: sink.finished(shard: index, downTo: 0)
                }
            }
        }
        runRounded { [self] lane in
            while let work = table.withLock({ $0.step == order.step ? $0.takePending() : nil }) {
                compute(work, order, on: lanes[lane])
            }
        } then: { [self] in
            let reports = table.withLock { $0.step == order.step ? $0.reports : nil }
            guard let reports else { return }
            post(
                .computed(
                    reports: reports, span: WorkerSpan(from: start, to: Clock.now),
                    attempt: attempt))
            let post = post
            digest { post(.stateDigest($0, attempt: attempt)) }
        }
    }

    /// Runs `body` on every lane once θ is there rounded, if that is of use.
    private func runRounded(
        _ body: @escaping @Sendable (_ lane: Int) -> Void,
        then completion: @escaping @Sendable () -> Void
    ) {
        let writing = writings
        guard let copies, writingOfCopies.load(ordering: .relaxed) != writing else {
            return pool.run(body, then: completion)
        }
        pool.run { [self] lane in
            copies.set(part(lane, of: state.count), from: state.parameters)
        } then: { [self] in
            writingOfCopies.store(writing, ordering: .relaxed)
            pool.run(body, then: completion)
        }
    }

    private func compute(_ work: ShardWork, _ order: StepOrder, on lane: Lane) {
        lane.measuresActivity = order.measuresLayers
        let loss = arithmetic.gradient(
            of: work.input, shard: work.shard, step: order.step, labels: order.labels,
            parameters: state.parameters, copies: copies, into: work.gradient, on: lane
        ) { offset in
            announce(work, downTo: offset)
        }
        let activity = lane.activity.flatMap { [$0.squares, Double($0.elements)] }
        table.withLock { $0.finish(work, report(of: work.shard, loss, activity)) }
        progress.add(1, ordering: .relaxed)
    }

    private func announce(_ work: ShardWork, downTo offset: Int) {
        progress.add(1, ordering: .relaxed)
        table.withLock { table in
            work.progress = .running(downTo: offset)
            if let index = table.index(of: work) { sink.finished(shard: index, downTo: offset) }
        }
    }

    private func report(
        of shard: Int, _ loss: ShardLoss, _ activity: [Double] = []
    ) -> ShardReport {
        ShardReport(
            shard: shard, smoothed: loss.smoothed,
            negativeLogLikelihood: loss.negativeLogLikelihood, labels: loss.labels,
            activity: activity)
    }

    // MARK: digests, norms, updates

    // A step that is ordered again asks again while lanes still work on the first answer, so that
    // each has blocks of its own.

    private func digest(then: @escaping @Sendable (FastDigest) -> Void) {
        let blocks = StateDigest(count: state.count)
        pool.run { [self] lane in
            blocks.set(part(lane, of: blocks.blockCount), of: state)
        } then: {
            then(blocks.digest())
        }
    }

    func normTotal(measuresLayers: Bool, attempt: Int) {
        let layers = measuresLayers ? model.layers : []
        let blocks = SquaredNorm(count: total.count)
        let total = total
        pool.run { [self] lane in
            blocks.set(
                part(lane, of: blocks.blockCount), of: total, trainable: model.layout.trainable)
        } then: { [self] in
            post(
                .squaredNorm(
                    blocks.squared(), layers: layers.map { total.squaredSum($0.range) },
                    attempt: attempt))
        }
    }

    /// Own shards whose gradient is not finite.
    func nonFiniteShards() -> [UInt32] {
        let own = table.withLock { $0.own }
        return own.filter { !squaredNorm(of: $0.gradient).isFinite }.map { UInt32($0.shard) }
    }

    /// Applies the total to θ, m and v, or only counts the step.
    ///
    /// Every block is digested as it is written, while it is in the cache: that digest vouches for
    /// what memory has to hold from then on.
    func update(step: Int, skipped: Bool, squaredNorm: Double, learningRate: Float) {
        let start = Clock.now
        table.withLock { $0.forgetAll() }
        if skipped {
            state.skip()
            return post(
                .updated(step: step, digest: nil, span: WorkerSpan(from: start, to: start)))
        }
        let written = StateDigest(count: state.count)
        let total = total
        pool.run { [self] lane in
            arithmetic.update(
                part(lane, of: total.blockCount), of: state, total: total,
                squaredNorm: squaredNorm, rate: learningRate, digest: written, copies: copies)
        } then: { [self] in
            state.advance()
            post(
                .updated(
                    step: step, digest: written.digest(),
                    span: WorkerSpan(from: start, to: Clock.now)))
        }
        if step <= keepsTotalsUntil {
            self.total = keptTotal?.vector ?? sink.vector(count: total.count)
            keptTotal = KeptTotal(
                step: step, vector: total, squaredNorm: squaredNorm, learningRate: learningRate)
        } else {
            keptTotal = nil
            self.total = sharedTotal
        }
    }

    /// A total that has been followed, and what its update needs besides.
    struct KeptTotal: Sendable {
        var step: Int
        var vector: ParameterVector
        var squaredNorm: Double
        var learningRate: Float
    }

    /// Somebody learns the state: totals are kept for one step more, up to that of `step`.
    func keepTotals(until step: Int) { keepsTotalsUntil = max(keepsTotalsUntil, step) }

    /// Takes up a state piece by piece, beginning with the whole one of step `from` if there is one.
    func lesson(from step: Int?) -> Lesson { Lesson(into: state, from: step, arithmetic) }

    /// An equal share of `count` blocks for each lane.
    private func part(_ lane: Int, of count: Int) -> Range<Int> {
        lane * count / pool.count..<(lane + 1) * count / pool.count
    }

    // MARK: losses without gradients

    func evaluate(_ order: EvaluationOrder, _ inputs: [(shard: Int, input: ModelInput)]) {
        let reports = EvaluationReports(count: inputs.count)
        let next = SharedCounter()
        runRounded { [self] lane in
            while let index = next.take(below: inputs.count) {
                let loss = arithmetic.loss(
                    of: inputs[index].input, parameters: state.parameters, copies: copies,
                    on: lanes[lane])
                reports.set(index, report(of: inputs[index].shard, loss))
                progress.add(1, ordering: .relaxed)
            }
        } then: { [self] in
            post(
                .evaluated(
                    Evaluation(step: order.step, batch: order.batch, reports: reports.all)))
        }
    }
}

extension WorkerSpan {
    init(from begin: Instant, to end: Instant) {
        self.init(begin: begin.nanoseconds, end: end.nanoseconds)
    }
}

private final class EvaluationReports: Sendable {
    private let reports: Mutex<[ShardReport?]>

    init(count: Int) { reports = Mutex(Array(repeating: nil, count: count)) }

    func set(_ index: Int, _ report: ShardReport) {
        reports.withLock { $0[index] = report }
    }

    var all: [ShardReport] { reports.withLock { $0.compactMap { $0 } } }
}
