import Parameters
import Wire

/// The coordinator of a run as a value: events in, actions out; no socket, clock or thread.
///
/// A step is a transaction: order → fold → equal votes of all members → ledger line → commit.
/// Whoever is lost before the commit leaves no trace: the rest form a ring of the next generation
/// and fold the same step again.
package struct Coordinator: Sendable {
    /// The event that the run is waiting for.
    enum Stage: Hashable, Sendable {
        /// Enough workers.
        case waiting
        /// These members to hold the committed state.
        case restoring(Set<PeerID>)
        /// These members to find their neighbours.
        case forming(Set<PeerID>)
        /// The votes of all members on `step`.
        case stepping(step: Int, since: Instant)
        /// The losses of a held-out batch.
        case evaluating(batch: Int)
        /// The last checkpoint.
        case saving
        case finished
    }

    /// The source of the state when no worker holds it.
    enum Origin: Hashable, Sendable {
        case seed
        case checkpoint(step: Int)

        var step: Int {
            switch self {
            case .seed: 0
            case .checkpoint(let step): step
            }
        }

        var delivery: Peer.Delivery {
            switch self {
            case .seed: .seed
            case .checkpoint(let step): .checkpoint(step: step)
            }
        }
    }

    struct Members: Hashable, Sendable {
        var generation: Generation
        /// The members, in rank order.
        var peers: [PeerID]
        var bounds: [Int]

        func shards(of peer: PeerID) -> Range<Int>? {
            peers.firstIndex(of: peer).map { bounds[$0]..<bounds[$0 + 1] }
        }
    }

    /// The settings that decide what it does when.
    package let policy: CoordinatorPolicy
    /// Elements of θ.
    let parameterCount: Int
    var stage = Stage.waiting
    var peers: [PeerID: Peer] = [:]
    var workersWelcomed = 0
    /// Processes that have held up the others.
    var probations = Probations()
    var badLinks = BadLinks()
    /// Processes of a ring in which one could not read the others' gradients where they lie: sums
    /// travel while all of them take part.
    var apart: Set<UInt64> = []
    var counter: UInt32 = 0
    var members: Members?
    var votes: [PeerID: Vote] = [:]
    var evaluations: [PeerID: [ShardReport]] = [:]
    var evaluated = ValidationResult(step: 0, smoothed: 0, loss: 0, labels: 0)
    var lastValidated: Int
    var snapshot: Snapshot?
    /// A checkpoint was due while another snapshot was under way, or it failed.
    var checkpointIsOwed = false
    /// Pieces of the state that members were asked for so far: they take turns.
    var piecesAsked = 0
    /// The last step whose line is known to be on disk.
    var durable = 0
    /// No checkpoint is begun before this moment: the disk has just failed.
    var checkpointNotBefore: Instant?
    var origin: Origin
    /// The step of the state from which the run goes on.
    var committed: Int
    /// The last line of the ledger: `committed` is below it while steps are folded once more.
    var recorded: CommittedLine?
    /// The kernel's name and the probe's digest of the members, once a step of theirs is committed.
    var arithmetic: (kernel: String, probe: FastDigest)?
    var hasStarted = false
    var isStopping = false
    /// The ledger cannot be written: what is ordered is not heard, so nobody is late.
    var isPaused = false
    var rotation: Rotation?
    var firstPrepared: Instant?
    var regenerateAt: Instant?
    var lastTick: Instant?
    var lastHeartbeat: Instant?
    /// Grows with every message that brings the stage at hand further.
    var movements: UInt64 = 0
    var lastMovement: Movement?
    /// Watches for a stage that takes longer than usual.
    var stageWatch: StageWatch?
    var stragglers = Stragglers()
    var ringWatch = RingWatch()
    var cutWatch = CutWatch()
    var linkRates = LinkRates()
    /// Hosts in the order of the ring, where that goes by what their links carry.
    var hostOrder: [String] = []
    /// Rings formed since the last commit.
    var attempts = 0
    var refolds = 0
    /// The steps that changed nothing, those of earlier incarnations included.
    package internal(set) var skips: SkippedSteps
    /// For observers; not handed over yet.
    var spans: [PhaseSpan] = []
    var stageSpan: StageSpan?
    var actions: [CoordinatorAction] = []

    /// A run that starts from its seed, or goes on from a checkpoint and from the ledger's last
    /// line.
    ///
    /// `parameterCount`: elements of θ; `skips`: of the ledger. Workers that still hold a state
    /// between the checkpoint and the ledger's end are gone on from without transfer.
    package init(
        policy: CoordinatorPolicy, parameterCount: Int, resumedFrom checkpoint: Int?,
        recorded: CommittedLine? = nil, skips: SkippedSteps = .init()
    ) {
        precondition(policy.gathering.workers >= 1 && policy.gathering.workers <= policy.shards)
        self.policy = policy
        self.parameterCount = parameterCount
        self.recorded = recorded
        self.skips = skips
        origin = checkpoint.map { .checkpoint(step: $0) } ?? .seed
        committed = max(origin.step, recorded?.step ?? 0)
        durable = recorded?.step ?? 0
        lastValidated = origin.step
    }

    /// Takes one event at the moment `now` and says what is to be done about it.
    package mutating func receive(
        _ event: CoordinatorEvent, at now: Instant
    ) -> [CoordinatorAction] {
        guard stage != .finished else { return [] }
        switch event {
        case .received(let peer, let message): received(message, from: peer, at: now)
        case .nonsense(let peer, let error): nonsense(error, from: peer, at: now)
        case .disconnected(let peer): lost(peer, .connectionBroke, at: now)
        case .tick: tick(at: now)
        case .sliceWritten(let step, let position): taken(step, position, at: now)
        case .ledgerSynchronized(let step): durable = max(durable, step)
        case .checkpointWritten(let step): checkpointWritten(step, at: now)
        case .checkpointFailed(let step): checkpointFailed(step, at: now)
        case .checkpointNotFinite(let step):
            end(.parametersNotFinite(step: step), "the parameters of step \(step) are not finite")
        case .ledgerFails: isPaused = true
        case .ledgerWorks:
            isPaused = false
            forgive(at: now)
        case .recordFailed(let step): end(.recordFailed(step: step), "the ledger is not writable")
        case .stopRequested: stopRequested(at: now)
        case .tokenChanged(let token): tokenChanged(token, at: now)
        }
        handOverSpans(at: now)
        defer { actions = [] }
        return actions
    }

    /// A line about where the run is, for traces.
    package var brief: String {
        "\(stage) at step \(committed) of \(policy.steps), recorded \(recorded?.step ?? 0), "
            + "\(peers.count) peers, snapshot \(snapshot.map { "of \($0.step)" } ?? "none")"
    }

    /// The last step that stands.
    package var lastCommitted: Int { max(committed, recorded?.step ?? 0) }

    /// Time after which a tick is due even if nothing else happens.
    package var tickInterval: Milliseconds {
        let heartbeat = policy.deadlines.heartbeat.count
        return Milliseconds(
            regenerateAt == nil ? heartbeat : min(heartbeat, policy.deadlines.settle.count))
    }

    private mutating func received(
        _ message: WorkerMessage, from peer: PeerID, at now: Instant
    ) {
        if case .hello(let hello) = message { return greeted(hello, by: peer, at: now) }
        guard peers[peer] != nil else {
            // It was given up while it was stopped or cut off: it must know.
            if case .leaving = message { return }
            return send(.sayHello, to: peer)
        }
        peers[peer]?.lastHeard = now
        peers[peer]?.phaseBefore = nil
        switch message {
        case .hello: break
        case .captured(let held): captured(held, from: peer, at: now)
        case .slice(let slice): store(slice, from: peer, at: now)
        // The shell streams checkpoints by itself.
        case .sliceTaken: movements += 1
        case .piece(let piece): self.piece(piece, from: peer, at: now)
        case .pieceTaken: pieceTaken(by: peer, at: now)
        case .prepared(let holdings): prepared(peer, holdings, at: now)
        case .stateReady(let held, let number):
            // Of a state that has been replaced since.
            guard peers[peer]?.stateNumber == number else { return }
            stateReady(peer, held, at: now)
        case .updated(let update): updated(peer, update, at: now)
        case .formed(let generation): formed(peer, generation, at: now)
        case .voted(let vote): voted(vote, by: peer, at: now)
        case .evaluated(let evaluation): evaluated(evaluation, by: peer, at: now)
        case .heartbeat(let heartbeat): peers[peer]?.heartbeat = heartbeat
        case .ringBroken(let generation, let fault): ringBroken(generation, fault, peer, at: now)
        case .leaving(let reason): lost(peer, .left(reason), at: now)
        case .tokenTaken: tokenTaken(by: peer)
        }
    }

    private mutating func nonsense(_ error: WireError, from peer: PeerID, at now: Instant) {
        guard let known = peers[peer] else {
            if case .otherProtocol(let theirs, let ours) = error {
                let refusal = Refusal.version(
                    theirs: "protocol \(theirs)", ours: "protocol \(ours)")
                actions.append(.send(peer, .refused(refusal)))
            }
            return
        }
        actions.append(.note(.nonsense(name: known.name, error)))
        lost(peer, .spokeNonsense, at: now)
    }

    mutating func note(_ note: CoordinatorNote) { actions.append(.note(note)) }

    mutating func send(_ message: CoordinatorMessage, to peer: PeerID) {
        actions.append(.send(peer, message))
    }

    /// Peers in the order in which they were welcomed.
    var peersInOrder: [Peer] { peers.values.sorted { $0.number < $1.number } }

    /// Announces that another state than the one in memory, if there is one, will be sent.
    mutating func beginState(of id: PeerID, at now: Instant) {
        guard let number = peers[id]?.stateNumber else { return }
        peers[id]?.stateSince = now
        peers[id]?.stateNumber = number &+ 1
        send(.newState(number: number &+ 1), to: id)
    }

    func names(of peers: some Sequence<PeerID>) -> [String] {
        peers.compactMap { self.peers[$0] }.sorted { $0.number < $1.number }.map(\.name)
    }

    /// Tells everybody and stops listening.
    mutating func end(_ outcome: Outcome, _ reason: String) {
        for peer in peersInOrder { send(.finish(reason: reason), to: peer.id) }
        actions.append(.finish(outcome))
        stage = .finished
    }
}

/// A worker that has been welcomed.
struct Peer: Sendable {
    /// The state that is under way to a worker that lacks it.
    enum Delivery: Hashable, Sendable {
        case seed
        case checkpoint(step: Int)

        var step: Int {
            switch self {
            case .seed: 0
            case .checkpoint(let step): step
            }
        }
    }

    let id: PeerID
    let number: Int
    let hello: Hello
    var isPrepared = false
    /// The step of the state that it has in memory, or will have once it has followed the commit.
    var holds: Int?
    /// Digest of that state as it was written, once the worker has told.
    var written: FastDigest?
    /// Counts the states that were sent to it.
    var stateNumber: UInt32 = 0
    /// The step of which it has learned a state that was not the run's.
    var mistaught: Int?
    /// It learns the state from members.
    var pupil: Pupil?
    var delivery: Delivery?
    var lastHeard: Instant
    var heartbeat: Heartbeat?
    /// Its phase in the ring before, while nothing has come from it since.
    var phaseBefore: String?
    /// When its state began to come from elsewhere, while it does.
    var stateSince: Instant?
    /// When the last commit went, until it is answered.
    var committedAt: Instant?
    var clock = ClockEstimate()
    /// Seconds that its shards took in the last step that it voted on.
    var computeSeconds: Double?
    var speed = ShardSpeed()

    var name: String { "w\(number)" }
}
