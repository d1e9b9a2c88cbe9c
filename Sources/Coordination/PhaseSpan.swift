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
    fileprivate init(
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

/// What the run as a whole is at, and since when.
struct StageSpan: Sendable {
    var phase: PhaseSpan.Phase
    var step: Int
    var generation: Generation?
    var since: Instant
}

/// Spans of the run, of its members and of its peers, for observers: nothing depends on them.
extension Coordinator {
    /// Compares the clocks by a vote, and keeps the spans of the step that it is about.
    mutating func timed(_ vote: Vote, by id: PeerID, orderedAt sent: Instant, at now: Instant) {
        peers[id]?.clock.add(sent: sent, vote.times, received: now)
        let rest = WorkerSpan(begin: max(vote.fold.end, vote.compute.end), end: vote.times.sent)
        add(vote.compute, .compute, of: id, step: vote.step, vote.generation, at: now)
        add(vote.fold, .fold, of: id, step: vote.step, vote.generation, at: now)
        add(vote.wait, .wait, of: id, step: vote.step, vote.generation, at: now)
        add(rest, .vote, of: id, step: vote.step, vote.generation, at: now)
    }

    /// Does the same by an answer to a commit.
    mutating func timed(_ update: Update, by id: PeerID, at now: Instant) {
        guard let sent = peers[id]?.committedAt else { return }
        peers[id]?.committedAt = nil
        peers[id]?.clock.add(sent: sent, update.times, received: now)
        add(update.span, .update, of: id, step: update.held.step, members?.generation, at: now)
    }

    private mutating func add(
        _ span: WorkerSpan, _ phase: PhaseSpan.Phase, of id: PeerID, step: Int,
        _ generation: Generation?, at now: Instant
    ) {
        guard span.end > span.begin, let peer = peers[id],
            let offset = peer.clock.offset(at: now)
        else { return }
        spans.append(PhaseSpan(phase, of: peer.name, step: step, generation, span, offset))
    }

    /// A peer has the whole state, or it will never be whole: says how long that took.
    mutating func endState(of id: PeerID, at now: Instant) {
        guard let peer = peers[id], let since = peer.stateSince else { return }
        peers[id]?.stateSince = nil
        spans.append(
            PhaseSpan(
                .state, of: peer.name, step: committed, members?.generation, from: since, to: now))
    }

    /// Notes that the run is at something else, and hands over the spans that are due.
    ///
    /// Those of a step that is under way wait for its end: an event a step is enough.
    mutating func handOverSpans(at now: Instant) {
        let current = StageSpan(
            phase: stage.phase, step: stage.step ?? committed, generation: members?.generation,
            since: now)
        let isSame =
            stageSpan.map {
                ($0.phase, $0.step, $0.generation)
                    == (current.phase, current.step, current.generation)
            } ?? false
        guard !isSame || stage == .finished else { return }
        if let last = stageSpan, last.since < now {
            spans.append(
                PhaseSpan(
                    last.phase, step: last.step, last.generation, from: last.since, to: now))
        }
        stageSpan = current
        guard !spans.isEmpty else { return }
        // Behind the run's end nothing is carried out.
        let end = actions.firstIndex { if case .finish = $0 { true } else { false } }
        actions.insert(.phases(spans), at: end ?? actions.endIndex)
        spans = []
    }
}

extension Coordinator.Stage {
    fileprivate var phase: PhaseSpan.Phase {
        switch self {
        case .waiting: .gathering
        case .restoring: .restoring
        case .forming: .forming
        case .stepping: .step
        case .evaluating: .evaluate
        case .saving, .finished: .saving
        }
    }

    /// The step that is under way.
    fileprivate var step: Int? { if case .stepping(let step, _) = self { step } else { nil } }
}
