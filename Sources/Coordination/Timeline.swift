import Wire

/// Spans of the run, of its members and of its peers, for observers: nothing depends on them.
struct Timeline: Sendable {
    /// What the run as a whole is at, and since when.
    private struct Current {
        var phase: PhaseSpan.Phase
        var step: Int
        var generation: Generation?
        var since: Instant

        func isSame(as other: Current) -> Bool {
            (phase, step, generation) == (other.phase, other.step, other.generation)
        }
    }

    private var spans: [PhaseSpan] = []
    private var current: Current?

    /// What the coordinator has seen itself.
    mutating func add(_ span: PhaseSpan) { spans.append(span) }

    /// Keeps the spans of a member's vote.
    mutating func add(_ vote: Vote, of peer: Peer, at now: Instant) {
        let rest = WorkerSpan(begin: max(vote.fold.end, vote.compute.end), end: vote.times.sent)
        for (phase, span) in [
            (.compute, vote.compute), (.fold, vote.fold), (.wait, vote.wait), (.vote, rest),
        ] as [(PhaseSpan.Phase, WorkerSpan)] {
            add(span, phase, of: peer, step: vote.step, vote.generation, at: now)
        }
    }

    /// Keeps the span of an update.
    mutating func add(
        _ update: Update, of peer: Peer, _ generation: Generation?, at now: Instant
    ) {
        add(update.span, .update, of: peer, step: update.held.step, generation, at: now)
    }

    private mutating func add(
        _ span: WorkerSpan, _ phase: PhaseSpan.Phase, of peer: Peer, step: Int,
        _ generation: Generation?, at now: Instant
    ) {
        guard span.end > span.begin, let offset = peer.pace.offset(at: now) else { return }
        spans.append(PhaseSpan(phase, of: peer.name, step: step, generation, span, offset))
    }

    /// Notes what the run is at.
    ///
    /// - Returns: the spans that are due. Those of a step that is under way wait for its end: an
    ///   event a step is enough.
    mutating func note(
        _ stage: Stage, committed: Int, _ generation: Generation?, at now: Instant
    ) -> [PhaseSpan] {
        let new = Current(
            phase: stage.phase, step: stage.step ?? committed, generation: generation, since: now)
        let isSame = current?.isSame(as: new) ?? false
        guard !isSame || stage == .finished else { return [] }
        if let last = current, last.since < now {
            spans.append(
                PhaseSpan(last.phase, step: last.step, last.generation, from: last.since, to: now))
        }
        current = new
        defer { spans = [] }
        return spans
    }
}
