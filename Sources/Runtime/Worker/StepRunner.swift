import Model
import Parameters
import Synchronization
import Training
import Wire

/// What the lanes tell the worker's loop.
enum LaneEvent: Sendable {
    // `attempt` says which order of a step this belongs to: a step may be ordered again.
    case computed(reports: [ShardReport], seconds: Double, attempt: Int)
    case stateDigest(WireDigest, attempt: Int)
    case squaredNorm(Double, layers: [Double], attempt: Int)
    case updated(step: Int)
    case evaluated(Evaluation)
    case initialised
}

/// Where the fold is told which parts of which own gradient are final.
protocol GradientSink: Sendable {
    func begin(step: UInt64, gradients: [ParameterVector], total: ParameterVector)
    func finished(shard index: Int, downTo offset: Int)
}

/// Does a worker's arithmetic on its lanes: gradients, digests, norms, updates, losses.
///
/// Every result depends on the shard, the state and the run's settings alone, never on the number
/// of lanes: shards are whole on one lane, sums over vectors run over fixed blocks.
final class StepRunner: @unchecked Sendable {
    struct Settings: Sendable {
        var seed: UInt64
        var initialisation: Initialisation
        var labelSmoothing: Float
        /// 0 never.
        var logLayersEvery: Int
        var clipNorm: Float
        var adam: AdamW
    }

    let model: Transformer
    let state: TrainingState
    let total: ParameterVector
    private let settings: Settings
    private let pool: LanePool
    private let lanes: [Lane]
    private let post: @Sendable (LaneEvent) -> Void
    private let sink: any GradientSink
    private let table: Mutex<ShardTable>
    /// Grows whenever a lane has got somewhere; heartbeats carry it.
    let progress = Atomic<UInt64>(0)

    init(
        model: Transformer, settings: Settings, pool: LanePool, sink: any GradientSink,
        post: @escaping @Sendable (LaneEvent) -> Void
    ) {
        self.model = model
        self.settings = settings
        self.pool = pool
        self.sink = sink
        self.post = post
        let count = model.layout.count
        state = TrainingState(
            parameters: ParameterVector(count: count), trainable: model.layout.trainable)
        total = ParameterVector(count: count)
        lanes = (0..<pool.count).map { _ in Lane(model) }
        table = Mutex(ShardTable(parameterCount: count))
    }

    /// Draws θ from the run's seed; m and v become zero.
    func initialise() {
        forgetGradients()
        let model = model
        let state = state
        let (seed, initialisation) = (settings.seed, settings.initialisation)
        let post = post
        pool.run { lane in
            guard lane == 0 else { return }
            model.initialise(state.parameters, seed: seed, initialisation)
            state.firstMoment.fill(0)
            state.secondMoment.fill(0)
            state.adopt(step: 0, adamCount: 0)
        } then: {
            post(.initialised)
        }
    }

    /// The state is about to change otherwise than by an update: nothing computed from it counts.
    func forgetGradients() { table.withLock { $0.forgetAll() } }

    // MARK: gradients

    /// Computes the gradients of `inputs` that are not there yet, feeding the fold as they appear.
    func compute(
        _ order: StepOrder, _ inputs: [(shard: Int, input: ModelInput)], attempt: Int
    ) {
        let start = ContinuousClock.now
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
        pool.run { [self] lane in
            while let work = table.withLock({ $0.step == order.step ? $0.takePending() : nil }) {
                compute(work, order, on: lanes[lane])
            }
        } then: { [self] in
            let reports = table.withLock { $0.step == order.step ? $0.reports : nil }
            guard let reports else { return }
            post(
                .computed(
                    reports: reports, seconds: Clock.seconds(since: start), attempt: attempt))
            digestState(attempt: attempt)
        }
    }

    private func compute(_ work: ShardWork, _ order: StepOrder, on lane: Lane) {
        lane.measuresActivity = measuresLayers(order.step)
        let key = DropoutKey(seed: settings.seed, step: order.step, shard: work.shard)
        let loss = lane.gradient(
            of: work.input, parameters: state.parameters, into: work.gradient,
            labelCount: order.labels, smoothing: settings.labelSmoothing, key: key
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

    private func measuresLayers(_ step: Int) -> Bool {
        settings.logLayersEvery > 0 && step.isMultiple(of: settings.logLayersEvery)
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

    private func digestState(attempt: Int) {
        let blocks = StateDigest(count: state.count)
        pool.run { [self] lane in
            blocks.set(part(lane, of: blocks.blockCount), of: state)
        } then: { [self] in
            let digest = blocks.digest()
            post(
                .stateDigest(WireDigest(high: digest.high, low: digest.low), attempt: attempt))
        }
    }

    func normTotal(step: Int, attempt: Int) {
        let layers = measuresLayers(step) ? model.layers : []
        let blocks = SquaredNorm(count: total.count)
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
    func update(step: Int, skipped: Bool, squaredNorm: Double, learningRate: Float) {
        table.withLock { $0.forgetAll() }
        if skipped {
            state.skip()
            return post(.updated(step: step))
        }
        let scale = clipScale(norm: squaredNorm.squareRoot(), limit: settings.clipNorm)
        pool.run { [self] lane in
            let blocks = part(lane, of: total.blockCount)
            state.update(
                total: total, adam: settings.adam, scale: scale, rate: learningRate,
                range: total.elements(of: blocks))
        } then: { [self] in
            state.advance()
            post(.updated(step: step))
        }
    }

    /// An equal share of `count` blocks for each lane.
    private func part(_ lane: Int, of count: Int) -> Range<Int> {
        lane * count / pool.count..<(lane + 1) * count / pool.count
    }

    // MARK: losses without gradients

    func evaluate(_ order: EvaluationOrder, _ inputs: [(shard: Int, input: ModelInput)]) {
        let reports = EvaluationReports(count: inputs.count)
        let next = SharedCounter()
        pool.run { [self] lane in
            while let index = next.take(below: inputs.count) {
                let loss = lanes[lane].loss(
                    of: inputs[index].input, parameters: state.parameters,
                    smoothing: settings.labelSmoothing)
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

private final class EvaluationReports: Sendable {
    private let reports: Mutex<[ShardReport?]>

    init(count: Int) { reports = Mutex(Array(repeating: nil, count: count)) }

    func set(_ index: Int, _ report: ShardReport) {
        reports.withLock { $0[index] = report }
    }

    var all: [ShardReport] { reports.withLock { $0.compactMap { $0 } } }
}

/// Hands out 0, 1, 2, … to whoever asks first.
final class SharedCounter: Sendable {
    private let value = Atomic<Int>(0)

    func take(below limit: Int) -> Int? {
        let taken = value.add(1, ordering: .relaxed).oldValue
        return taken < limit ? taken : nil
    }
}
