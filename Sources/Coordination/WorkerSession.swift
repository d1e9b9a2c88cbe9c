import Wire

/// A worker's side of a run as a value: events in, actions out; no socket, clock or thread.
///
/// An order that does not fit what is in memory is answered with what is there, so that no
/// misunderstanding lasts.
package struct WorkerSession: Sendable {
    /// Work that must not be interrupted; orders that come meanwhile wait for its end.
    enum Task: Hashable, Sendable {
        case building
        case initialising
        case updating(step: Int)
        case evaluating(step: Int, batch: Int)
    }

    /// Orders that may wait; a coordinator that sends more is not of this protocol.
    static let patience = 256

    /// The phase that heartbeats tell.
    package internal(set) var phase = WorkerPhase.joining
    /// The state in memory.
    package internal(set) var held: HeldState?
    /// The name that the coordinator gave it; `worker` until then.
    package internal(set) var name = "worker"
    let deadlinesUntilWelcomed: Deadlines
    var deadlines: Deadlines
    var welcome: Welcome?
    /// The coordinator has answered on this connection.
    var isWelcomed = false
    var isBuilt = false
    var roster: Roster?
    var order: StepOrder?
    /// The step after the state in memory, if it is folded and voted on; kept when the connection
    /// breaks, since nobody knows then whether it was committed.
    var folded: FoldedStep?
    /// Committed steps that are not known to be on the coordinator's disk.
    var lines: [CommittedLine] = []
    /// A state that has come whole, before the coordinator has found it to be the run's.
    var arrived: HeldState?
    /// The number of the state that is being sent, as the coordinator counts them.
    var stateNumber: UInt32 = 0
    var task: Task?
    var deferred: [(message: CoordinatorMessage, received: Instant)] = []
    /// When the order of the step at hand came, and the last commit that is obeyed.
    var orderReceived = Instant(nanoseconds: 0)
    var commitReceived = Instant(nanoseconds: 0)
    var lastHeard: Instant?
    var lastHeartbeat: Instant?
    var lastTick: Instant?
    var actions: [WorkerAction] = []
    var hasLeft = false

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

    mutating func start(_ task: Task, _ phase: WorkerPhase) {
        self.task = task
        self.phase = phase
    }

    // MARK: the connection

    mutating func disconnected(at now: Instant) {
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

    mutating func leave(_ outcome: WorkerOutcome) {
        hasLeft = true
        actions.append(.leave(outcome))
    }
}

extension OrderTimes {
    /// Moments of the clock that the session is told.
    fileprivate init(received: Instant, sent: Instant) {
        self.init(received: received.nanoseconds, sent: sent.nanoseconds)
    }
}
