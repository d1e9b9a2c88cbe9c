import Wire

/// From when to when somebody was at something, on the coordinator's clock.
package struct PhaseSpan: Hashable, Sendable, Codable {
    /// What it was at.
    package enum Phase: String, Sendable, Codable, CaseIterable {
        // A member's, in the order of a step.
        /// The own shards' gradients.
        case compute
        /// From the first chunk that was added or moved to the whole total.
        case fold
        /// From the end of the own gradients to the whole total; it overlaps `fold`.
        case wait
        /// From the whole total to the vote: norms, digests.
        case vote
        /// θ, m and v, after the commit.
        case update

        // A peer's.
        /// It takes the state from elsewhere.
        case state

        // The run's.
        /// Not enough workers are there.
        case gathering
        /// Nobody has the state in memory: it is sent.
        case restoring
        /// The ring is formed.
        case forming
        /// A step, from its order to its commit or to the loss of its ring.
        case step
        /// The held-out part.
        case evaluate
        /// The last checkpoint is waited for.
        case saving
        /// A state goes from its donor to the disk, while training goes on.
        case checkpoint
    }

    /// What the worker or the run was at.
    package var phase: Phase
    /// Its name; nil for the run as a whole.
    package var worker: String?
    /// The step that it belongs to; for `state` and `checkpoint` the last step of the state.
    package var step: Int
    /// The ring; nil while there is none.
    package var generation: Generation?
    /// Seconds on the coordinator's clock, counted from the coordinator's start.
    package var start: Double
    /// The same; not before `start`.
    package var end: Double
    /// Start and end are wrong by so many seconds at most; 0 for the coordinator's own times.
    package var clockError: Double

    /// Makes a span of all its parts.
    package init(
        phase: Phase, worker: String?, step: Int, generation: Generation?, start: Double,
        end: Double, clockError: Double
    ) {
        self.phase = phase
        self.worker = worker
        self.step = step
        self.generation = generation
        self.start = start
        self.end = end
        self.clockError = clockError
    }

    enum CodingKeys: String, CodingKey {
        case phase, worker, step, generation, start, end
        case clockError = "clock_error"
    }
}

extension PhaseSpan {
    /// What the coordinator has seen with its own clock.
    init(
        _ phase: Phase, of worker: String? = nil, step: Int, _ generation: Generation?,
        from start: Instant, to end: Instant
    ) {
        self.init(
            phase: phase, worker: worker, step: step, generation: generation,
            start: start.seconds, end: max(start, end).seconds, clockError: 0)
    }

    /// What a worker has seen with its clock, which is `offset` ahead of the coordinator's.
    init(
        _ phase: Phase, of worker: String, step: Int, _ generation: Generation?, _ span: WorkerSpan,
        _ offset: ClockEstimate.Offset
    ) {
        self.init(
            phase: phase, worker: worker, step: step, generation: generation,
            start: Double(span.begin - offset.nanoseconds) * 1e-9,
            end: Double(span.end - offset.nanoseconds) * 1e-9,
            clockError: Double(offset.error) * 1e-9)
    }
}
