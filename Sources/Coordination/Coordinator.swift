import Wire

/// The coordinator of a run as a value: events in, actions out; no socket, clock or thread.
///
/// A step is a transaction: order → fold → equal votes of all members → ledger line → commit.
/// Whoever is lost before the commit leaves no trace: the rest form a ring of the next generation
/// and fold the same step again.
package struct Coordinator: Sendable {
    /// What the run is waiting for.
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

    /// Where the state comes from when no worker holds it.
    enum Origin: Hashable, Sendable {
        case seed
        case checkpoint(step: Int)

        var step: Int {
            switch self {
            case .seed: 0
            case .checkpoint(let step): step
            }
        }
    }

    struct Members: Hashable, Sendable {
        var generation: Generation
        /// In rank order.
        var peers: [PeerID]
        var bounds: [Int]

        func shards(of peer: PeerID) -> Range<Int>? {
            peers.firstIndex(of: peer).map { bounds[$0]..<bounds[$0 + 1] }
        }
    }

    struct Snapshot: Hashable, Sendable {
        var step: Int
        var donor: PeerID
        var toDisk: Bool
    }

    package let policy: CoordinatorPolicy
    var stage = Stage.waiting
    var peers: [PeerID: Peer] = [:]
    var workersWelcomed = 0
    var counter: UInt32 = 0
    var members: Members?
    var votes: [PeerID: Vote] = [:]
    var evaluations: [PeerID: [ShardReport]] = [:]
    var evaluated = ValidationResult(step: 0, smoothed: 0, loss: 0, labels: 0)
    var lastValidated: Int?
    var snapshot: Snapshot?
    /// A checkpoint was due while another snapshot was under way, or its donor was lost.
    var checkpointIsOwed = false
    var origin: Origin
    var committed: Int
    var hasStarted = false
    var isStopping = false
    var firstPrepared: Instant?
    var regenerateAt: Instant?
    var lastTick: Instant?
    var lastHeartbeat: Instant?
    var lastProgress: (sum: UInt64, at: Instant)?
    var refolds = 0
    var actions: [CoordinatorAction] = []

    /// A run that starts from its seed, or goes on from the checkpoint of `resumedFrom`.
    package init(policy: CoordinatorPolicy, resumedFrom checkpoint: Int?) {
        precondition(policy.workers >= 1 && policy.workers <= policy.shards)
        self.policy = policy
        origin = checkpoint.map { .checkpoint(step: $0) } ?? .seed
        committed = origin.step
        lastValidated = checkpoint
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
        case .checkpointWritten(let step): checkpointWritten(step, at: now)
        case .checkpointFailed(let step): checkpointFailed(step, at: now)
        case .recordFailed(let step): end(.recordFailed(step: step), "the ledger is not writable")
        case .stopRequested: stopRequested(at: now)
        }
        defer { actions = [] }
        return actions
    }

    /// The last step that stands.
    package var lastCommitted: Int { committed }

    /// Time after which a tick is due even if nothing else happens.
    package var tickInterval: Milliseconds {
        let heartbeat = policy.deadlines.heartbeat.count
        return Milliseconds(
            regenerateAt == nil ? heartbeat : min(heartbeat, policy.deadlines.settle.count))
    }

    private mutating func received(
        _ message: WorkerMessage, from peer: PeerID, at now: Instant
    ) {
        if case .hello(let hello) = message {
            greeted(hello, by: peer, at: now)
            return
        }
        guard peers[peer] != nil else { return }
        peers[peer]?.lastHeard = now
        switch message {
        case .hello, .slice, .sliceTaken: break
        case .prepared(let holds): prepared(peer, holds: holds, at: now)
        case .stateReady(let step): stateReady(peer, step: step, at: now)
        case .formed(let generation): formed(peer, generation, at: now)
        case .voted(let vote): voted(vote, by: peer, at: now)
        case .evaluated(let evaluation): evaluated(evaluation, by: peer, at: now)
        case .heartbeat(let heartbeat): peers[peer]?.heartbeat = heartbeat
        case .ringBroken(let generation, let reason):
            ringBroken(generation, reason, peer, at: now)
        case .leaving(let reason): lost(peer, .left(reason), at: now)
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
    let id: PeerID
    let number: Int
    let hello: Hello
    var isPrepared = false
    /// The step of the state that it has in memory.
    var holds: Int?
    var lastHeard: Instant
    var heartbeat: Heartbeat?

    var name: String { "w\(number)" }
}
