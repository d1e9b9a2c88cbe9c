import Wire

/// What can happen to a worker.
package enum WorkerEvent: Sendable {
    case received(CoordinatorMessage)
    /// The control connection broke, or its bytes made no sense.
    case disconnected
    /// The model of the welcome is built and its memory taken.
    case built
    case buildFailed(reason: String)
    /// θ has been drawn from the run's seed.
    case initialised
    /// The last slice of the state of `step` has been stored.
    case stateStored(step: Int)
    case ringFormed(Generation)
    case ringBroken(Generation, reason: String)
    case folded(Vote)
    case updated(step: Int)
    case evaluated(Evaluation)
    case tick(progress: UInt64, waitingFor: String)
    case stopRequested
}

/// What a worker wants done, in this order.
package enum WorkerAction: Equatable, Sendable {
    case send(WorkerMessage)
    /// Connect anew, under a new identity, and say hello.
    case reconnect
    case build(Welcome)
    case initialise
    case store(StateSlice)
    case formRing(Roster)
    case compute(StepOrder)
    /// Forget the step that is being folded.
    case abandonStep
    case update(step: Int, skipped: Bool)
    /// Copy θ, m, v and stream the copy.
    case capture(step: Int)
    case moreSlices(step: Int, position: Int)
    case abandonCapture
    case evaluate(EvaluationOrder)
    case note(WorkerNote)
    case leave(WorkerOutcome)
}

package enum WorkerNote: Hashable, Sendable {
    case welcomed(name: String, run: UInt64)
    case coordinatorSilent(milliseconds: Int64)
    case coordinatorLost
    case formed(Generation, rank: Int, members: Int, shards: Range<Int>)
    case ignored(String)
}

package enum WorkerOutcome: Hashable, Sendable {
    case finished(reason: String)
    case refused(Refusal)
    case stopped
    case unfit(reason: String)
}

/// A worker's side of a run as a value: events in, actions out; no socket, clock or thread.
package struct WorkerSession: Sendable {
    package private(set) var phase = WorkerPhase.joining
    /// The step of the state in memory.
    package private(set) var holds: Int?
    package private(set) var name = "worker"
    private let deadlinesUntilWelcomed: Deadlines
    private var deadlines: Deadlines
    private var welcome: Welcome?
    private var isBuilt = false
    private var roster: Roster?
    private var order: StepOrder?
    /// The step that has been folded and voted on, but not committed.
    private var folded: Int?
    /// Something that must not be interrupted is being done; what arrives meanwhile waits.
    private var isBusy = false
    private var deferred: [CoordinatorMessage] = []
    private var lastHeard: Instant?
    private var lastHeartbeat: Instant?
    private var lastTick: Instant?
    private var actions: [WorkerAction] = []
    private var hasLeft = false

    package init(deadlines: Deadlines) {
        self.deadlines = deadlines
        deadlinesUntilWelcomed = deadlines
    }

    /// The run and the epoch that a hello names.
    package var obeyed: (run: UInt64?, epoch: UInt32) { (welcome?.run, welcome?.epoch ?? 0) }

    /// Time after which a tick is due even if nothing else happens.
    package var tickInterval: Milliseconds { deadlines.heartbeat }

    package mutating func receive(_ event: WorkerEvent, at now: Instant) -> [WorkerAction] {
        guard !hasLeft else { return [] }
        switch event {
        case .received(let message):
            lastHeard = now
            received(message)
        case .disconnected: disconnected()
        case .built:
            isBuilt = true
            isBusy = false
            announce()
        case .buildFailed(let reason): leave(.unfit(reason: reason))
        case .initialised: stateArrived(step: 0)
        case .stateStored(let step): stateArrived(step: step)
        case .ringFormed(let generation):
            guard generation == roster?.generation else { break }
            phase = .waiting
            actions.append(.send(.formed(generation)))
        case .ringBroken(let generation, let reason):
            guard generation == roster?.generation else { break }
            actions.append(.send(.ringBroken(generation, reason: reason)))
        case .folded(let vote): finishedFold(vote)
        case .updated(let step): updated(step)
        case .evaluated(let evaluation):
            isBusy = false
            phase = .waiting
            actions.append(.send(.evaluated(evaluation)))
        case .tick(let progress, let waitingFor): tick(progress, waitingFor, at: now)
        case .stopRequested:
            actions.append(.send(.leaving(reason: "it was asked to stop")))
            leave(.stopped)
        }
        takeDeferred()
        defer { actions = [] }
        return actions
    }

    // MARK: messages

    private mutating func received(_ message: CoordinatorMessage) {
        switch message {
        case .heartbeat: break
        case .refused(let refusal): leave(.refused(refusal))
        case .finish(let reason): leave(.finished(reason: reason))
        case .sliceTaken(let step, let position):
            actions.append(.moreSlices(step: step, position: position))
        case .abandonSnapshot: actions.append(.abandonCapture)
        case .welcome(let welcome): welcomed(welcome)
        default: deferred.append(message)
        }
    }

    /// Takes up what had to wait, in the order in which it came.
    private mutating func takeDeferred() {
        while !isBusy, !hasLeft, !deferred.isEmpty { obey(deferred.removeFirst()) }
    }

    private mutating func obey(_ message: CoordinatorMessage) {
        guard isBuilt else { return actions.append(.note(.ignored("an order before the model"))) }
        switch message {
        case .initialise:
            isBusy = true
            phase = .preparing
            holds = nil
            actions.append(.initialise)
        case .slice(let slice):
            phase = .receivingState
            holds = nil
            actions.append(.store(slice))
        case .snapshot(let step):
            guard step == holds else { return }
            actions.append(.capture(step: step))
        case .roster(let roster): join(roster)
        case .step(let order): begin(order)
        case .commit(let commit): committed(commit)
        case .evaluate(let order):
            isBusy = true
            phase = .evaluating
            actions.append(.evaluate(order))
        default: break
        }
    }

    private mutating func welcomed(_ new: Welcome) {
        if let known = welcome, known.run == new.run, new.epoch < known.epoch {
            return leave(.unfit(reason: "the coordinator is older than one obeyed before"))
        }
        let isSameRun =
            welcome?.run == new.run && welcome?.configuration == new.configuration && isBuilt
        welcome = new
        name = new.name
        deadlines = Deadlines(peerTimeout: Milliseconds(Int64(new.peerTimeoutMilliseconds)))
        actions.append(.note(.welcomed(name: new.name, run: new.run)))
        if isSameRun { return announce() }
        isBuilt = false
        holds = nil
        isBusy = true
        phase = .preparing
        actions.append(.build(new))
    }

    private mutating func announce() {
        phase = .waiting
        actions.append(.send(.prepared(holds: holds)))
    }

    private mutating func stateArrived(step: Int) {
        isBusy = false
        holds = step
        phase = .waiting
        actions.append(.send(.stateReady(step: step)))
    }

    private mutating func join(_ new: Roster) {
        if let folded, folded == new.committed, holds == folded - 1, order?.step == folded {
            // The commit of the last step was lost on the way: the roster says that it stands.
            startUpdate(step: folded, skipped: false)
            deferred.insert(.roster(new), at: 0)
            return
        }
        guard holds == new.committed else {
            return actions.append(.note(.ignored("a ring at a step that is not in memory")))
        }
        folded = nil
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
        guard let roster, new.generation == roster.generation, holds == new.step - 1,
            new.shards.map(\.shard)
                == Array(roster.bounds[roster.rank]..<roster.bounds[roster.rank + 1])
        else { return actions.append(.note(.ignored("a step that does not fit"))) }
        order = new
        phase = .computing
        actions.append(.compute(new))
    }

    private mutating func finishedFold(_ vote: Vote) {
        guard let order, vote.step == order.step, vote.generation == roster?.generation else {
            return
        }
        folded = vote.step
        phase = .voting
        actions.append(.send(.voted(vote)))
    }

    private mutating func committed(_ commit: Commit) {
        guard let folded, commit.step == folded, commit.generation == roster?.generation else {
            return actions.append(.note(.ignored("a commit of a step that was not folded")))
        }
        startUpdate(step: folded, skipped: commit.skipped)
    }

    private mutating func startUpdate(step: Int, skipped: Bool) {
        isBusy = true
        phase = .updating
        folded = nil
        order = nil
        actions.append(.update(step: step, skipped: skipped))
    }

    private mutating func updated(_ step: Int) {
        isBusy = false
        holds = step
        phase = .waiting
    }

    // MARK: the connection

    private mutating func disconnected() {
        actions.append(.note(.coordinatorLost))
        phase = .joining
        roster = nil
        order = nil
        folded = nil
        deferred = []
        deadlines = deadlinesUntilWelcomed
        lastHeard = nil
        actions.append(.abandonStep)
        actions.append(.abandonCapture)
        actions.append(.reconnect)
    }

    private mutating func tick(_ progress: UInt64, _ waitingFor: String, at now: Instant) {
        let slept = lastTick.map { $0 + deadlines.peerTimeout < now } ?? false
        lastTick = now
        if slept, lastHeard != nil { lastHeard = now }
        if let last = lastHeard, last + deadlines.peerTimeout < now {
            actions.append(
                .note(.coordinatorSilent(milliseconds: now.milliseconds(since: last))))
            return disconnected()
        }
        guard welcome != nil, lastHeard != nil,
            lastHeartbeat.map({ $0 + deadlines.heartbeat <= now }) ?? true
        else { return }
        lastHeartbeat = now
        let step = order?.step ?? holds ?? 0
        actions.append(
            .send(
                .heartbeat(
                    Heartbeat(
                        phase: phase, step: step, progress: progress, waitingFor: waitingFor))))
    }

    private mutating func leave(_ outcome: WorkerOutcome) {
        hasLeft = true
        actions.append(.leave(outcome))
    }
}
