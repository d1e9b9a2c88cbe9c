import Foundation
import Kernels
import Model
import Parameters
import Preparation
import Resources
import Ring
import Settings
import Text
import Threads
import Training

/// A run's steps as one process computes them: what any number of workers must have given.
///
/// The arithmetic is the workers' own (lane, chunk sum, norm, update, digest). Lanes share shards
/// and blocks, so that their number changes no bit.
final class Recomputation {
    /// The results of a step, besides the state after it.
    struct Outcome {
        /// The digest of θ, m and v before the update.
        var state: FastDigest
        var total: FastDigest
        /// Mean of the smoothed losses over the labels, in nats.
        var loss: Double
        /// Not finite: the step counts, but changes nothing.
        var isSkipped: Bool
    }

    let state: TrainingState
    private let arithmetic: StepArithmetic
    private let wire: WireFormat
    private let pool: LanePool
    private let lanes: [Lane]
    private let gradients: [ParameterVector]
    private let total: ParameterVector

    /// Goes on from `state`; one gradient for every shard is held, as by a worker that has them
    /// all.
    init(_ prepared: PreparedRun, from state: TrainingState, threads: Int) throws(ResourceError) {
        self.state = state
        arithmetic = prepared.configuration.optimizer.arithmetic
        wire = prepared.configuration.cluster.wire
        let count = prepared.model.layout.count
        pool = try LanePool(lanes: threads)
        lanes = (0..<threads).map { _ in Lane(prepared.model) }
        gradients = (0..<prepared.configuration.batches.shards).map { _ in
            ParameterVector(count: count)
        }
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
        let isSkipped = !StepArithmetic.isUsable(squaredNorm: norm, losses: losses)
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
            arithmetic: arithmetic, step: batch.step, labels: batch.labels)
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
            wire, seed: arithmetic.seed, step: UInt64(step))
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
        let rate = arithmetic.schedule.rate(step: step)
        let (state, total, arithmetic) = (state, total, arithmetic)
        share(total.blockCount) { blocks in
            arithmetic.update(blocks, of: state, total: total, squaredNorm: norm, rate: rate)
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
    private let arithmetic: StepArithmetic
    private let step: Int
    private let labels: Int

    init(
        lanes: [Lane], inputs: [ModelInput], gradients: [ParameterVector],
        parameters: ParameterVector, arithmetic: StepArithmetic, step: Int, labels: Int
    ) {
        self.lanes = lanes
        self.inputs = inputs
        self.gradients = gradients
        self.parameters = parameters
        self.arithmetic = arithmetic
        self.step = step
        self.labels = labels
    }

    func compute(_ shard: Int, on lane: Int) -> ShardLoss {
        arithmetic.gradient(
            of: inputs[shard], shard: shard, step: step, labels: labels,
            parameters: parameters, into: gradients[shard], on: lanes[lane])
    }
}
