import Wire

/// What the coordinator orders, and whether it fits.
extension WorkerSession {
    mutating func received(_ message: CoordinatorMessage, at now: Instant) {
        switch message {
        case .heartbeat: break
        case .refused(let refusal): leave(.refused(refusal))
        case .finish(let reason): leave(.finished(reason: reason))
        case .sayHello: if isWelcomed { disconnected(at: now) }
        case .sliceTaken(let step, let position):
            actions.append(.moreSlices(step: step, position: position))
        case .abandonSnapshot: actions.append(.abandonCapture)
        default: wait(message, at: now)
        }
    }

    private mutating func wait(_ message: CoordinatorMessage, at now: Instant) {
        if case .roster = message { deferred.removeAll(where: \.isOfOneRing) }
        deferred.append(message)
        if deferred.count > Self.patience { disconnected(at: now) }
    }

    /// Takes up what had to wait, in the order in which it came.
    mutating func takeDeferred() {
        while task == nil, !hasLeft, !deferred.isEmpty { obey(deferred.removeFirst()) }
    }

    private mutating func obey(_ message: CoordinatorMessage) {
        if case .welcome(let new) = message { return welcomed(new) }
        guard isBuilt, isWelcomed else {
            return actions.append(.note(.ignored("an order before the model")))
        }
        switch message {
        case .initialise:
            forgetState()
            start(.initialising, .preparing)
            actions.append(.initialise)
        case .slice(let slice):
            forgetState()
            phase = .receivingState
            actions.append(.store(slice))
        case .snapshot(let step):
            if step == holds { actions.append(.capture(step: step)) } else { announce() }
        case .roster(let roster): join(roster)
        case .step(let order): begin(order)
        case .commit(let commit): committed(commit)
        case .evaluate(let order): evaluate(order)
        default: break
        }
    }

    private mutating func welcomed(_ new: Welcome) {
        guard !isWelcomed else { return }
        if let known = welcome, known.run == new.run, new.epoch < known.epoch {
            return leave(.unfit(reason: "the coordinator is older than one obeyed before"))
        }
        let isSameRun =
            welcome?.run == new.run && welcome?.configuration == new.configuration && isBuilt
        welcome = new
        isWelcomed = true
        name = new.name
        deadlines = Deadlines(peerTimeout: Milliseconds(Int64(new.peerTimeoutMilliseconds)))
        actions.append(.note(.welcomed(name: new.name, run: new.run)))
        if isSameRun { return announce() }
        isBuilt = false
        forgetState()
        start(.building, .preparing)
        actions.append(.build(new))
    }

    /// Says what is in memory.
    mutating func announce() {
        guard isWelcomed else { return }
        phase = .waiting
        actions.append(.send(.prepared(holds: holds, folded: folded)))
    }

    /// The state in memory is being replaced: what was computed from it counts no more.
    private mutating func forgetState() {
        holds = nil
        folded = nil
        order = nil
        roster = nil
    }

    mutating func stateArrived(step: Int) {
        holds = step
        guard isWelcomed else { return }
        phase = .waiting
        actions.append(.send(.stateReady(step: step)))
    }

    private mutating func join(_ new: Roster) {
        if let roster, new.generation <= roster.generation { return }
        guard holds == new.committed else { return announce() }
        folded = nil
        order = nil
        roster = new
        phase = .forming
        actions.append(.formRing(new))
        actions.append(
            .note(
                .formed(
                    new.generation, rank: new.rank, members: new.names.count,
                    shards: new.bounds[new.rank]..<new.bounds[new.rank + 1])))
    }

    private mutating func begin(_ new: StepOrder) {
        guard let roster, new.generation == roster.generation, order?.step != new.step else {
            return actions.append(.note(.ignored("a step of another ring")))
        }
        guard holds == new.step - 1,
            new.shards.map(\.shard)
                == Array(roster.bounds[roster.rank]..<roster.bounds[roster.rank + 1])
        else { return announce() }
        order = new
        phase = .computing
        actions.append(.compute(new))
    }

    private mutating func committed(_ commit: Commit) {
        guard let folded, commit.step == folded.step, holds == folded.step - 1,
            commit.skipped || commit.total == folded.total
        else {
            if holds != commit.step { announce() }
            return
        }
        self.folded = nil
        order = nil
        start(.updating(step: commit.step), .updating)
        actions.append(.update(step: commit.step, skipped: commit.skipped))
    }

    private mutating func evaluate(_ new: EvaluationOrder) {
        guard holds == new.step else { return announce() }
        start(.evaluating(step: new.step, batch: new.batch), .evaluating)
        actions.append(.evaluate(new))
    }
}

extension CoordinatorMessage {
    /// Whether it means nothing once another ring is formed.
    fileprivate var isOfOneRing: Bool {
        switch self {
        case .roster, .step, .evaluate: true
        default: false
        }
    }
}
