import Parameters

/// The state that training changes: exactly what a checkpoint holds and a pupil receives.
///
/// Several lanes may update disjoint ranges at a time; their caller sees to
/// it that nobody reads meanwhile.
package final class TrainingState: @unchecked Sendable {
    /// The number of committed steps, skipped ones included: the time
    /// of the schedule and the batches.
    package private(set) var step: Int
    /// The number of updates, skipped steps not included: Adam's time.
    package private(set) var adamCount: Int
    /// The parameters θ, with running statistics behind them.
    package let parameters: ParameterVector
    /// Adam's first moment m, of as many elements as θ.
    package let firstMoment: ParameterVector
    /// Adam's second moment v, of as many elements as θ.
    package let secondMoment: ParameterVector
    /// The number of elements of θ that the optimizer updates. Running statistics lie
    /// behind them, whose moments stay 0.
    package let trainable: Int

    /// The share of a batch's statistics in the running ones after it.
    package static let statisticsMomentum: Float = 0.1

    /// Makes a state at step 0 with moments of zero. Nil for
    /// `trainable` means that all elements are.
    package convenience init(parameters: ParameterVector, trainable: Int? = nil) {
        self.init(
            step: 0, adamCount: 0, parameters: parameters, trainable: trainable,
            firstMoment: ParameterVector(count: parameters.count),
            secondMoment: ParameterVector(count: parameters.count))
    }

    /// Makes a state as it was saved. Shapes: three vectors of equal count.
    package init(
        step: Int, adamCount: Int, parameters: ParameterVector, trainable: Int? = nil,
        firstMoment: ParameterVector, secondMoment: ParameterVector
    ) {
        precondition(0 <= adamCount && adamCount <= step, "\(adamCount) updates in \(step) steps")
        let counts = [parameters.count, firstMoment.count, secondMoment.count]
        precondition(Set(counts).count == 1, "θ, m, v of \(counts) elements")
        self.step = step
        self.adamCount = adamCount
        self.parameters = parameters
        self.trainable = trainable ?? parameters.count
        precondition((0...counts[0]).contains(self.trainable), "\(self.trainable) of \(counts[0])")
        self.firstMoment = firstMoment
        self.secondMoment = secondMoment
    }

    /// The number of parameters.
    package var count: Int { parameters.count }

    /// Applies the next update to `range`; `advance` follows once all ranges are done.
    ///
    /// `total` is the whole batch's gradient, `scale` its clip scale. The range begins and ends
    /// at block borders or at the end. Any cut into ranges gives the same bits. Running
    /// statistics r become (1 - μ) r + μ · total.
    package func update(
        total: ParameterVector, adam: AdamW, scale: Float, rate: Float, range: Range<Int>
    ) {
        let block = ParameterVector.blockCapacity
        precondition(
            range.lowerBound % block == 0
                && (range.upperBound % block == 0 || range.upperBound == count),
            "\(range) is not cut at blocks of \(block)")
        let learned = range.clamped(to: 0..<trainable)
        adam.pass(count: adamCount + 1, scale: scale, rate: rate).apply(
            parameters: parameters, firstMoment: firstMoment, secondMoment: secondMoment,
            gradient: total, range: learned)
        followStatistics(total, from: 0, range)
    }

    /// Updates the running statistics of `range`; element 0 of `total`
    /// belongs to element `start` of θ.
    private func followStatistics(
        _ total: ParameterVector, from start: Int, _ range: Range<Int>
    ) {
        for index in range.clamped(to: trainable..<count) {
            let kept = (1 - Self.statisticsMomentum) * parameters[index]
            parameters[index] = kept + Self.statisticsMomentum * total[index - start]
        }
    }

    /// Applies an update of the past to a range that has come from elsewhere without it.
    ///
    /// Shapes: `total` holds the range's gradient from its element 0 on.
    package func replay(_ pass: AdamPass, total: ParameterVector, range: Range<Int>) {
        pass.apply(
            parameters: parameters, firstMoment: firstMoment, secondMoment: secondMoment,
            rangeGradient: total, range: range.clamped(to: 0..<trainable))
        followStatistics(total, from: range.lowerBound, range)
    }

    /// Applies the next update to everything and advances.
    package func update(total: ParameterVector, adam: AdamW, scale: Float, rate: Float) {
        update(total: total, adam: adam, scale: scale, rate: rate, range: 0..<count)
        advance()
    }

    /// Counts a step whose update has been applied to all ranges.
    package func advance() {
        step += 1
        adamCount += 1
    }

    /// Counts a step that changes nothing, such as one whose gradient was not finite.
    package func skip() {
        step += 1
    }

    /// Takes over the counters of another state, after its vectors were stored slice by slice.
    package func adopt(step: Int, adamCount: Int) {
        precondition(0 <= adamCount && adamCount <= step, "\(adamCount) updates in \(step) steps")
        self.step = step
        self.adamCount = adamCount
    }

    /// Returns the digest of θ, m and v; the counters are no part of it.
    package func digest() -> FastDigest {
        let digest = StateDigest(count: count)
        digest.set(0..<digest.blockCount, of: self)
        return digest.digest()
    }
}

/// The result of `TrainingState.digest()` whose blocks several lanes share. A lane digests a block
/// right after its update, while it is still in the cache.
package struct StateDigest: Sendable {
    private let parts: [FastDigest.Blocks]

    /// Makes room for the digests of states of `count` parameters.
    package init(count: Int) {
        parts = (0..<3).map { _ in FastDigest.Blocks(byteCount: count * 4) }
    }

    /// The number of blocks of each of θ, m and v.
    package var blockCount: Int { parts[0].count }

    /// Forgets all blocks. Nobody else may be using this meanwhile.
    package func reset() { for part in parts { part.reset() } }

    /// Digests some blocks of θ, m and v.
    package func set(_ blocks: Range<Int>, of state: TrainingState) {
        parts[0].set(blocks, of: state.parameters)
        parts[1].set(blocks, of: state.firstMoment)
        parts[2].set(blocks, of: state.secondMoment)
    }

    /// Whether every block has been digested, so that `digest` may be called.
    package var isComplete: Bool { parts.allSatisfy { $0.isComplete } }

    /// Returns the digest of θ, m and v; every block must be set.
    package func digest() -> FastDigest { FastDigest(combining: parts.map { $0.digest() }) }
}
