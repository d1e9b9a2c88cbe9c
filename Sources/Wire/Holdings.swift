import Parameters

/// A training state in memory, as whoever wrote it vouches for it.
package struct HeldState: Hashable, Sendable {
    /// The last step that the state holds.
    package var step = 0
    /// Digest of θ, m and v, taken when they were written.
    package var digest = FastDigest()

    /// Makes the state of a step with a digest.
    package init(step: Int, digest: FastDigest) {
        self.step = step
        self.digest = digest
    }
}

/// What a worker has in memory of a run.
package struct Holdings: Hashable, Sendable {
    /// The state; nil while none is whole.
    package var state: HeldState?
    /// The step after `state`, if it is folded and voted on but its commit has not come.
    package var folded: FoldedStep?
    /// Committed steps that are not known to be on the coordinator's disk, in order: at most
    /// `WireLimit.lines`.
    package var lines: [CommittedLine]

    /// Makes holdings; without arguments, those of a worker that has nothing.
    package init(
        state: HeldState? = nil, folded: FoldedStep? = nil, lines: [CommittedLine] = []
    ) {
        self.state = state
        self.folded = folded
        self.lines = lines
    }
}

/// A step whose gradient is folded, and the state that it was computed from.
package struct FoldedStep: Hashable, Sendable {
    /// The step, counted from 1.
    package var step = 0
    /// Digest of the folded gradient.
    package var total = FastDigest()
    /// Digest of θ, m and v before the step's update.
    package var state = FastDigest()

    /// Makes a step of the digests of its total and of the state before it.
    package init(step: Int, total: FastDigest, state: FastDigest) {
        self.step = step
        self.total = total
        self.state = state
    }
}

/// A line of the ledger, but for the samples, which follow from the step.
///
/// Members keep it until it is known to be on disk: a coordinator whose host lost power gets back
/// from them what it had committed.
package struct CommittedLine: Hashable, Sendable {
    /// The ring that folded the step.
    package var generation = Generation()
    /// The step, counted from 1.
    package var step = 0
    /// Digest of the folded gradient.
    package var total = FastDigest()
    /// Digest of θ, m and v before the step's update.
    package var state = FastDigest()
    /// Mean over the batch's labels of the smoothed loss, in nats.
    package var loss = 0.0
    /// Whether the step changed nothing, because its gradient was not finite.
    package var skipped = false

    /// Makes a line of all its parts.
    package init(
        generation: Generation, step: Int, total: FastDigest, state: FastDigest, loss: Double,
        skipped: Bool
    ) {
        self.generation = generation
        self.step = step
        self.total = total
        self.state = state
        self.loss = loss
        self.skipped = skipped
    }
}

// MARK: - Coding

extension HeldState: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.step(&step)
        try digest.code(&coder)
    }
}

extension Holdings: WireCodable {
    init() { self.init(state: nil) }

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.optional(&state, "holds")
        try coder.optional(&folded, "has folded")
        try coder.each(&lines, "lines", limit: WireLimit.lines)
    }
}

extension FoldedStep: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.step(&step)
        try total.code(&coder)
        try state.code(&coder)
    }
}

extension CommittedLine: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try generation.code(&coder)
        try coder.step(&step)
        try total.code(&coder)
        try state.code(&coder)
        try coder.double(&loss, "loss")
        try coder.bool(&skipped, "skipped")
    }
}
