import Model
import Parameters

/// The arithmetic of a step: every rule between a batch's shards and the state after it.
///
///     shards → gradients → total → ‖total‖² → verdict → clip and update → digest
///
/// Workers, `verify`, `plan` and the benchmarks all compute through it, so that a rule of training
/// stands once. The total is the ring's: gradients added in shard order. Nothing here depends on the
/// number of lanes or workers: a shard is whole on one lane, vectors are cut into fixed blocks.
package struct StepArithmetic: Hashable, Sendable {
    /// The run's seed, which decides θ at step 0 and what dropout drops.
    package var seed: UInt64
    /// The distribution of the layers' matrices at step 0.
    package var initialisation: Initialisation
    /// The share ε of each target that is spread over all classes.
    package var labelSmoothing: Float
    /// The longest norm of a total; zero clips nothing.
    package var clipNorm: Float
    /// The settings of the optimizer.
    package var adam: AdamW
    /// The learning rate of every step.
    package var schedule: LearningRateSchedule

    /// Makes an arithmetic of its parts.
    package init(
        seed: UInt64, initialisation: Initialisation = .xavier, labelSmoothing: Float,
        clipNorm: Float, adam: AdamW = AdamW(), schedule: LearningRateSchedule
    ) {
        self.seed = seed
        self.initialisation = initialisation
        self.labelSmoothing = labelSmoothing
        self.clipNorm = clipNorm
        self.adam = adam
        self.schedule = schedule
    }

    /// Makes `state` that of step 0: θ drawn from the seed, moments of zero.
    package func begin(_ state: TrainingState, of model: Transformer) {
        model.initialise(state.parameters, seed: seed, initialisation)
        state.firstMoment.fill(0)
        state.secondMoment.fill(0)
        state.adopt(step: 0, adamCount: 0)
    }

    /// Computes the gradient of one shard of step `step` by a lane;
    /// writes every element of `gradient`.
    ///
    /// `labels` counts those of the whole batch, of whose mean loss it is the gradient. `finished`
    /// is told the offset from which on every element is final; offsets descend to 0. `copies` are
    /// the parameters rounded, or nil where nobody keeps them.
    package func gradient(
        of input: ModelInput, shard: Int, step: Int, labels: Int, parameters: ParameterVector,
        copies: RoundedVector? = nil, into gradient: ParameterVector, on lane: Lane,
        finished: (_ downTo: Int) -> Void = { _ in }
    ) -> ShardLoss {
        lane.gradient(
            of: input, parameters: parameters, copies: copies, into: gradient, labelCount: labels,
            smoothing: labelSmoothing, key: DropoutKey(seed: seed, step: step, shard: shard),
            finished: finished)
    }

    /// Computes the loss of a shard without dropout.
    package func loss(
        of input: ModelInput, parameters: ParameterVector, copies: RoundedVector? = nil,
        on lane: Lane
    ) -> ShardLoss {
        lane.loss(
            of: input, parameters: parameters, copies: copies, smoothing: labelSmoothing)
    }

    /// Whether a step may change anything: its total and every loss are finite.
    package static func isUsable(
        squaredNorm: Double, losses: some Sequence<ShardLoss>
    ) -> Bool {
        squaredNorm.isFinite && losses.allSatisfy { $0.isFinite }
    }

    /// Brings some blocks of `state` past the step of `total`, and digests them while they are in the
    /// cache; `TrainingState.advance` follows once all are done.
    ///
    /// `squaredNorm` is the whole total's, `rate` the step's learning rate. `copies` get what is written.
    package func update(
        _ blocks: Range<Int>, of state: TrainingState, total: ParameterVector,
        squaredNorm: Double, rate: Float, digest: StateDigest? = nil, copies: RoundedVector? = nil
    ) {
        let scale = scale(squaredNorm: squaredNorm)
        for block in blocks {
            state.update(
                total: total, adam: adam, scale: scale, rate: rate,
                range: total.elements(of: block..<block + 1))
            digest?.set(block..<block + 1, of: state)
            copies?.set(total.elements(of: block..<block + 1), from: state.parameters)
        }
    }

    /// Brings a range that lacks one update of the past up to it.
    ///
    /// `adamCount` is the update's number, from 1. Shapes: `total` holds the range's gradient from its
    /// element 0 on.
    package func replay(
        _ range: Range<Int>, of state: TrainingState, total: ParameterVector,
        squaredNorm: Double, rate: Float, adamCount: Int
    ) {
        let pass = adam.pass(count: adamCount, scale: scale(squaredNorm: squaredNorm), rate: rate)
        state.replay(pass, total: total, range: range)
    }

    private func scale(squaredNorm: Double) -> Float {
        clipScale(norm: squaredNorm.squareRoot(), limit: clipNorm)
    }
}

extension ShardLoss {
    /// Whether both sums are finite; a step with another is not used.
    package var isFinite: Bool { smoothed.isFinite && negativeLogLikelihood.isFinite }
}
