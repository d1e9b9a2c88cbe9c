import Foundation
import Kernels
import Model
import Parameters
import Resources
import Ring
import Settings
import Text
import Training

/// A run's steps as one process computes them: what any number of workers must have given.
///
/// The arithmetic is the workers' own (lane, chunk sum, norm, update, digest). Lanes share shards and
/// blocks, so that their number changes no bit.
final class Recomputation {
    /// What a step gives besides the state after it.
    struct Outcome {
        /// Of θ, m and v before the update.
        var state: FastDigest
        var total: FastDigest
        /// Mean of the smoothed losses over the labels, in nats.
        var loss: Double
        /// Not finite: the step counts, but changes nothing.
        var isSkipped: Bool
    }

    let state: TrainingState
    private let configuration: RunConfiguration
    private let pool: LanePool
    private let lanes: [Lane]
    private let gradients: [ParameterVector]
    private let total: ParameterVector

    /// Goes on from `state`; one gradient for every shard is held, as by a worker that has them all.
    init(_ prepared: PreparedRun, from state: TrainingState, threads: Int) throws(ResourceError) {
        self.state = state
        configuration = prepared.configuration
        let count = prepared.model.layout.count
        pool = try LanePool(lanes: threads)
        lanes = (0..<threads).map { _ in Lane(prepared.model) }
        gradients = (0..<configuration.batches.shards).map { _ in ParameterVector(count: count) }
        total = ParameterVector(count: count)
    }

    deinit { pool.stop() }

    /// Computes the step of `batch`, which must be the next.
    func step(_ batch: Batch) -> Outcome {
        precondition(batch.step == state.step + 1, "step \(batch.step) after \(state.step)")
        let before = digestOfState()
        let losses = computeGradients(batch)
        fold(batch.step)
        let norm = squaredNormOfTotal()
        let isSkipped = !norm.isFinite || !losses.allSatisfy(\.isFinite)
        let outcome = Outcome(
            state: before, total: digestOfTotal(),
            loss: losses.reduce(0) { $0 + $1.smoothed } / Double(max(1, batch.labels)),
            isSkipped: isSkipped)
        if isSkipped { state.skip() } else { update(batch.step, norm: norm) }
        return outcome
    }

    /// Digest of θ, m and v as they are now.
    func digestOfState() -> FastDigest {
        let blocks = StateDigest(count: state.count)
        let state = state
        share(blocks.blockCount) { blocks.set($0, of: state) }
        return blocks.digest()
    }

    // MARK: the parts of a step

    private func computeGradients(_ batch: Batch) -> [ShardLoss] {
        let inputs = batch.shards.map { ModelInput($0) }
        let losses = BlockResults(
            count: inputs.count,
            initial: ShardLoss(smoothed: 0, negativeLogLikelihood: 0, labels: 0))
        let next = SharedCounter()
        let work = ShardsOfStep(
            lanes: lanes, inputs: inputs, gradients: gradients, parameters: state.parameters,
            configuration: configuration, step: batch.step, labels: batch.labels)
        pool.runAndWait { lane in
            while let shard = next.take(below: inputs.count) {
                losses.set(shard, work.compute(shard, on: lane))
            }
        }
        return losses.reduce(into: []) { $0.append($1) }
    }

    /// The total in shard order, as the ring adds it.
    private func fold(_ step: Int) {
        let rounding = StochasticRounding(
            configuration.cluster.wire, seed: configuration.optimizer.seed, step: UInt64(step))
        let gradients = gradients
        let total = total
        share(total.blockCount) { blocks in
            let range = total.elements(of: blocks)
            guard !range.isEmpty else { return }
            ChunkSum(gradients, rounding: rounding).sum(
                range, onto: nil, into: total.unsafeAddress + range.lowerBound)
        }
    }

    private func squaredNormOfTotal() -> Double {
        let blocks = SquaredNorm(count: total.count)
        let (total, trainable) = (total, state.trainable)
        share(blocks.blockCount) { blocks.set($0, of: total, trainable: trainable) }
        return blocks.squared()
    }

    private func digestOfTotal() -> FastDigest {
        let blocks = FastDigest.Blocks(
            byteCount: total.byteCount, blockBytes: StepNumbers.blockBytes)
        let total = total
        share(blocks.count) { blocks.set($0, of: total) }
        return blocks.digest()
    }

    private func update(_ step: Int, norm: Double) {
        let scale = clipScale(norm: norm.squareRoot(), limit: configuration.optimizer.clip)
        let rate = configuration.optimizer.schedule.rate(step: step)
        let (state, total, adam) = (state, total, configuration.optimizer.adam)
        share(total.blockCount) { blocks in
            state.update(
                total: total, adam: adam, scale: scale, rate: rate,
                range: total.elements(of: blocks))
        }
        state.advance()
    }

    /// Gives every lane its part of `count` blocks.
    private func share(_ count: Int, _ body: @escaping @Sendable (Range<Int>) -> Void) {
        let lanes = pool.count
        pool.runAndWait { lane in body(lane * count / lanes..<(lane + 1) * count / lanes) }
    }
}

/// The shards of one step for lanes that share them, each lane with an arena of its own.
private final class ShardsOfStep: @unchecked Sendable {
    private let lanes: [Lane]
    private let inputs: [ModelInput]
    private let gradients: [ParameterVector]
    private let parameters: ParameterVector
    private let configuration: RunConfiguration
    private let step: Int
    private let labels: Int

    init(
        lanes: [Lane], inputs: [ModelInput], gradients: [ParameterVector],
        parameters: ParameterVector, configuration: RunConfiguration, step: Int, labels: Int
    ) {
        self.lanes = lanes
        self.inputs = inputs
        self.gradients = gradients
        self.parameters = parameters
        self.configuration = configuration
        self.step = step
        self.labels = labels
    }

    func compute(_ shard: Int, on lane: Int) -> ShardLoss {
        lanes[lane].gradient(
            of: inputs[shard], parameters: parameters, into: gradients[shard],
            labelCount: labels, smoothing: configuration.optimizer.smoothing,
            key: DropoutKey(seed: configuration.optimizer.seed, step: step, shard: shard),
            finished: { _ in })
    }
}

extension ShardLoss {
    fileprivate var isFinite: Bool { smoothed.isFinite && negativeLogLikelihood.isFinite }
}
