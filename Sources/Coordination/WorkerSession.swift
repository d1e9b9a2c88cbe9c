import Wire

/// A worker's side of a run as a value: events in, actions out; no socket, clock or thread.
///
/// An order that does not fit what is in memory is answered with what is there, so that no
/// misunderstanding lasts.
package struct WorkerSession: Sendable {
    /// Work that must not be interrupted; orders that come meanwhile wait for its end.
    private enum Task: Hashable, Sendable {
        case building
        case initialising
        case updating(step: Int)
        case evaluating(step: Int, batch: Int)
    }

    /// Orders that may wait; a coordinator that sends more is not of this protocol.
    private static let patience = 256

    /// The phase that heartbeats tell.
    package private(set) var phase = WorkerPhase.joining
    /// The state in memory.
    package private(set) var held: HeldState?
    /// The name that the coordinator gave it; `worker` until then.
    package private(set) var name = "worker"
    private let deadlinesUntilWelcomed: Deadlines
    private var deadlines: Deadlines
    private var welcome: Welcome?
    /// The coordinator has answered on this connection.
    private var isWelcomed = false
    private var isBuilt = false
    private var roster: Roster?
    private var order: StepOrder?
    /// The step after the state in memory, if it is folded and voted on; kept when the connection
    /// breaks, since nobody knows then whether it was committed.
    private var folded: FoldedStep?
    /// Committed steps that are not known to be on the coordinator's disk.
    private var lines: [CommittedLine] = []
    /// A state that has come whole, before the coordinator has found it to be the run's.
    private var arrived: HeldState?
    /// The number of the state that is being sent, as the coordinator counts them.
    private var stateNumber: UInt32 = 0
    private var task: Task?
    private var deferred: [(message: CoordinatorMessage, received: Instant)] = []
    /// When the order of the step at hand came, and the last commit that is obeyed.
    private var orderReceived = Instant(nanoseconds: 0)
    private var commitReceived = Instant(nanoseconds: 0)
    private var lastHeard: Instant?
    private var lastHeartbeat: Instant?
    private var lastTick: Instant?
    private var actions: [WorkerAction] = []
    private var hasLeft = false

    /// Makes a session that has not said hello.
    ///
    /// - Parameter deadlines: the waits until the coordinator's welcome says other ones.
    package init(deadlines: Deadlines) {
        self.deadlines = deadlines
        deadlinesUntilWelcomed = deadlines
    }

    /// The step of the state in memory.
    package var holds: Int? { held?.step }

    /// Silence after which a peer counts as gone, as the coordinator said it.
    package var peerTimeout: Milliseconds { deadlines.peerTimeout }

    /// The run and the epoch that a hello names.
    package var obeyed: (run: UInt64?, epoch: UInt32) { (welcome?.run, welcome?.epoch ?? 0) }

    /// A line about what it is doing, for people who look for a fault.
    package var brief: String {
        let state = held.map { "holds the state of step \($0.step)" } ?? "holds no state"
        let ring = roster.map {
            "ring \($0.generation) as \($0.rank + 1) of \($0.names.count)"
        }
        let work = task.map { ", busy \($0)" } ?? ""
        return "\(name) \(phase)\(work), \(state), \(ring ?? "in no ring"), "
            + (order.map { "at step \($0.step)" } ?? "without a step")
            + ", \(deferred.count) orders wait, \(lines.count) lines kept"
    }

    /// Time after which a tick is due even if nothing else happens.
    package var tickInterval: Milliseconds { deadlines.heartbeat }

    /// Takes one event at the moment `now` and says what is to be done about it; nothing once it
    /// has left.
    package mutating func receive(_ event: WorkerEvent, at now: Instant) -> [WorkerAction] {
        guard !hasLeft else { return [] }
        switch event {
        case .received(let message):
            lastHeard = now
            received(message, at: now)
        case .disconnected: disconnected(at: now)
        case .tick(let progress): tick(progress, at: now)
        case .stopRequested:
            actions.append(.send(.leaving(reason: "it was asked to stop")))
            leave(.stopped)
        case .buildFailed(let reason), .orderUnfit(let reason): leave(.unfit(reason: reason))
        default: done(event, at: now)
        }
        takeDeferred()
        defer { actions = [] }
        return actions
    }

    /// Something that was ordered is done, or has gone wrong.
    private mutating func done(_ event: WorkerEvent, at now: Instant) {
        switch event {
        case .built where end(.building):
            isBuilt = true
            announce()
        case .initialised(let digest) where end(.initialising):
            stateArrived(HeldState(step: 0, digest: digest))
        case .stateStored(let new) where task == nil: stateArrived(new)
        case .computed(let step) where order?.step == step && phase == .computing:
            phase = .folding
        case .reports(let message): reports(message, at: now)
        default: break
        }
    }

    /// Takes note of what the worker has to tell, and passes it on if it is still of use.
    private mutating func reports(_ message: WorkerMessage, at now: Instant) {
        var message = message
        switch message {
        case .updated(var update):
            guard end(.updating(step: update.held.step)) else { return }
            held = update.held
            update.times = OrderTimes(received: commitReceived, sent: now)
            message = .updated(update)
        case .evaluated(let evaluation):
            guard end(.evaluating(step: evaluation.step, batch: evaluation.batch)) else { return }
        case .formed(let generation):
            guard generation == roster?.generation, order == nil else { return }
            phase = .waiting
        case .ringBroken(let generation, _):
            guard generation == roster?.generation else { return }
        case .voted(var vote):
            guard let order, vote.step == order.step, vote.generation == roster?.generation,
                folded == nil
            else { return }
            folded = FoldedStep(step: vote.step, total: vote.total, state: vote.state)
            phase = .voting
            vote.times = OrderTimes(received: orderReceived, sent: now)
            message = .voted(vote)
        default: break
        }
        if isWelcomed { actions.append(.send(message)) }
    }

    /// Ends the work at hand if it is `expected`; false if it is not.
    private mutating func end(_ expected: Task) -> Bool {
        guard task == expected else { return false }
        task = nil
        phase = isWelcomed ? .waiting : .joining
        return true
    }

    private mutating func start(_ task: Task, _ phase: WorkerPhase) {
        self.task = task
        self.phase = phase
    }

    // MARK: the connection

    private mutating func disconnected(at now: Instant) {
        if isWelcomed { actions.append(.note(.coordinatorLost)) }
        isWelcomed = false
        if task == nil { phase = .joining }
        roster = nil
        order = nil
        deferred = []
        deadlines = deadlinesUntilWelcomed
        // An answer to the next hello is due as well.
        lastHeard = now
        lastHeartbeat = nil
        actions.append(.abandonStep)
        actions.append(.abandonCapture)
        actions.append(.reconnect)
    }

    private mutating func tick(_ progress: WorkProgress, at now: Instant) {
        let slept = lastTick.map { $0 + deadlines.peerTimeout < now } ?? true
        lastTick = now
        if slept { lastHeard = now }
        if let last = lastHeard, last + deadlines.peerTimeout < now {
            if isWelcomed {
                actions.append(
                    .note(.coordinatorSilent(milliseconds: now.milliseconds(since: last))))
            }
            return disconnected(at: now)
        }
        guard isWelcomed, lastHeartbeat.map({ $0 + deadlines.heartbeat <= now }) ?? true else {
            return
        }
        lastHeartbeat = now
        let heartbeat = Heartbeat(
            phase: phase, step: order?.step ?? holds ?? 0, progress: progress.count,
            slice: progress.slice, slices: progress.slices, waitingFor: progress.waitingFor)
        actions.append(.send(.heartbeat(heartbeat)))
    }

    private mutating func leave(_ outcome: WorkerOutcome) {
        hasLeft = true
        actions.append(.leave(outcome))
    }

    // MARK: orders

    private mutating func received(_ message: CoordinatorMessage, at now: Instant) {
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
    private mutating func takeDeferred() {
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
    private mutating func announce() {
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

    private mutating func stateArrived(_ new: HeldState) {
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

extension OrderTimes {
    /// Moments of the clock that the session is told.
    fileprivate init(received: Instant, sent: Instant) {
        self.init(received: received.nanoseconds, sent: sent.nanoseconds)
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
