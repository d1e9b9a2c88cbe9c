import Wire

/// Takes the coordinator's orders, and checks that they fit the state in memory.
extension WorkerSession {
    mutating func received(_ message: CoordinatorMessage, at now: Instant) {
        switch message {
        case .heartbeat: break
        case .refused(let refusal): leave(.refused(refusal))
        case .finish(let reason): leave(.finished(reason: reason))
        case .sayHello: if isWelcomed { disconnected(at: now) }
        case .sliceTaken: carryOut(message)
        case .abandonSnapshot: actions.append(.abandonCapture)
        case .token:
            carryOut(message)
            actions.append(.send(.tokenTaken))
        default: wait(message, at: now)
        }
    }

    private mutating func wait(_ message: CoordinatorMessage, at now: Instant) {
        if case .roster = message { deferred.removeAll(where: \.message.isOfOneRing) }
        deferred.append((message, now))
        if deferred.count > Self.patience { disconnected(at: now) }
    }

    /// Takes up what had to wait, in the order in which it came.
    mutating func takeDeferred() {
        while task == nil, !hasLeft, !deferred.isEmpty {
            let first = deferred.removeFirst()
            obey(first.message, received: first.received)
        }
    }

    private mutating func obey(_ message: CoordinatorMessage, received: Instant) {
        if case .welcome(let new) = message { return welcomed(new) }
        guard isBuilt, isWelcomed else {
            return actions.append(.note(.ignored("an order before the model")))
        }
        switch message {
        case .newState(let number): stateNumber = number
        case .proven(let step):
            guard let arrived, arrived.step == step else { return }
            held = arrived
            self.arrived = nil
        case .initialise:
            carryOut(message)
            forgetState()
            start(.initialising, .preparing)
        case .slice, .piece, .passStep:
            carryOut(message)
            forgetState()
            phase = .receivingState
        case .givePiece(let request) where held == nil: giveNothing(request)
        case .snapshot(let step) where step != holds: announce()
        case .roster(let roster): join(roster)
        case .step(let order): begin(order, received: received)
        case .commit(let commit): committed(commit, received: received)
        case .evaluate(let order): evaluate(order)
        default: carryOut(message)
        }
    }

    /// Hands on an order that fits, or that nothing need fit.
    private mutating func carryOut(_ message: CoordinatorMessage) {
        actions.append(.obey(message, held: (held ?? arrived)?.step))
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
        carryOut(.welcome(new))
        isBuilt = false
        lines = []
        forgetState()
        start(.building, .preparing)
    }

    /// Says what is in memory.
    mutating func announce() {
        guard isWelcomed else { return }
        phase = .waiting
        actions.append(.send(.prepared(Holdings(state: held, folded: folded, lines: lines))))
    }

    private mutating func giveNothing(_ request: PieceRequest) {
        let piece = StatePiece(step: 0, adamCount: 0, offset: request.offset, content: .nothing)
        actions.append(.send(.piece(piece)))
    }

    /// The state in memory is being replaced: what was computed from it counts no more.
    private mutating func forgetState() {
        held = nil
        arrived = nil
        folded = nil
        order = nil
        roster = nil
    }

    mutating func stateArrived(_ new: HeldState) {
        arrived = new
        guard isWelcomed else { return }
        phase = .waiting
        actions.append(.send(.stateReady(new, number: stateNumber)))
    }

    private mutating func join(_ new: Roster) {
        if let roster, new.generation <= roster.generation { return }
        guard holds == new.committed else { return announce() }
        folded = nil
        order = nil
        roster = new
        phase = .forming
        carryOut(.roster(new))
        actions.append(
            .note(
                .formed(
                    new.generation, rank: new.rank, members: new.names.count,
                    shards: new.bounds[new.rank]..<new.bounds[new.rank + 1])))
    }

    private mutating func begin(_ new: StepOrder, received: Instant) {
        guard let roster, new.generation == roster.generation, order?.step != new.step else {
            return actions.append(.note(.ignored("a step of another ring")))
        }
        guard holds == new.step - 1,
            new.shards.map(\.shard)
                == Array(roster.bounds[roster.rank]..<roster.bounds[roster.rank + 1])
        else { return announce() }
        order = new
        orderReceived = received
        phase = .computing
        carryOut(.step(new))
    }

    private mutating func committed(_ commit: Commit, received: Instant) {
        let line = commit.line
        guard let folded, line.step == folded.step, holds == folded.step - 1,
            line.skipped || line.total == folded.total
        else {
            if holds != line.step { announce() }
            return
        }
        keep(line, durable: commit.durable)
        commitReceived = received
        self.folded = nil
        order = nil
        start(.updating(step: line.step), .updating)
        actions.append(.update(step: line.step, skipped: line.skipped))
    }

    /// Remembers what was committed until it is on the coordinator's disk.
    private mutating func keep(_ line: CommittedLine, durable: Int) {
        lines.removeAll { $0.step <= durable || $0.step >= line.step }
        lines.append(line)
        if lines.count > WireLimit.lines { lines.removeFirst() }
    }

    private mutating func evaluate(_ new: EvaluationOrder) {
        guard holds == new.step else { return announce() }
        start(.evaluating(step: new.step, batch: new.batch), .evaluating)
        carryOut(.evaluate(new))
    }
}

extension CoordinatorMessage {
    /// Whether the order means nothing once another ring is formed.
    fileprivate var isOfOneRing: Bool {
        switch self {
        case .roster, .step, .evaluate: true
        default: false
        }
    }
}
