import Parameters

/// All that training changes: exactly what a checkpoint holds and a joiner receives.
///
/// Several lanes may update disjoint ranges at a time; whoever directs them sees to it that
/// nobody reads meanwhile.
package final class TrainingState: @unchecked Sendable {
    /// Committed steps, skipped ones included: the schedule's and the batches' time.
    package private(set) var step: Int
    /// Updates, skipped steps not included: Adam's time.
    package private(set) var adamCount: Int
    package let parameters: ParameterVector
    package let firstMoment: ParameterVector
    package let secondMoment: ParameterVector
    /// The optimizer's part of θ; what lies behind are running statistics, whose moments stay 0.
    package let trainable: Int

    /// Share of a batch's statistics in the running ones after it.
    package static let statisticsMomentum: Float = 0.1

    /// A state at step 0 with moments of zero. Without `trainable` everything is.
    package convenience init(parameters: ParameterVector, trainable: Int? = nil) {
        self.init(
            step: 0, adamCount: 0, parameters: parameters, trainable: trainable,
            firstMoment: ParameterVector(count: parameters.count),
            secondMoment: ParameterVector(count: parameters.count))
    }

    /// A state as it was saved. Shapes: three vectors of equal count.
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

    /// Number of parameters.
    package var count: Int { parameters.count }

    /// Applies the next update to `range`; `advance` follows once all ranges are done.
    ///
    /// `total` is the whole batch's gradient, `scale` its clip scale. The range begins and ends
    /// at block borders or at the end, and any cut into ranges gives the same bits. Running statistics r
    /// become (1 - μ) r + μ · total.
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

    /// Running statistics of `range`; element 0 of `total` belongs to element `start` of θ.
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

    /// Digest of θ, m and v as they lie in memory; the counters are no part of it.
    package func digest() -> FastDigest {
        let digest = StateDigest(count: count)
        digest.set(0..<digest.blockCount, of: self)
        return digest.digest()
    }
}

/// `TrainingState.digest()` whose blocks several lanes share, for example right after a block's
/// update while it is still in the cache.
package struct StateDigest: Sendable {
    private let parts: [FastDigest.Blocks]

    /// For states of `count` parameters.
    package init(count: Int) {
        parts = (0..<3).map { _ in FastDigest.Blocks(byteCount: count * 4) }
    }

    package var blockCount: Int { parts[0].count }

    /// Forgets all blocks. Nobody else may be using this meanwhile.
    package func reset() { for part in parts { part.reset() } }

    /// Digests some blocks of θ, m and v.
    package func set(_ blocks: Range<Int>, of state: TrainingState) {
        parts[0].set(blocks, of: state.parameters)
        parts[1].set(blocks, of: state.firstMoment)
        parts[2].set(blocks, of: state.secondMoment)
    }

    package var isComplete: Bool { parts.allSatisfy { $0.isComplete } }

    package func digest() -> FastDigest { FastDigest(combining: parts.map { $0.digest() }) }
}
