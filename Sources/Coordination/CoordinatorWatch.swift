import Wire

/// The sum of everybody's progress, and the moment at which it last changed.
struct Movement: Hashable, Sendable {
    var sum: UInt64
    var since: Instant
}

/// Watches for peers that are silent or stuck: every wait of the run ends here.
extension Coordinator {
    mutating func tick(at now: Instant) {
        let deadlines = policy.deadlines
        // Who was itself stopped has not listened: nobody is judged by that silence.
        let slept = lastTick.map { $0 + deadlines.peerTimeout < now } ?? false
        lastTick = now
        if slept { forgive(at: now) }
        giveUpSilent(at: now)
        if lastHeartbeat.map({ $0 + deadlines.heartbeat <= now }) ?? true {
            lastHeartbeat = now
            for peer in peersInOrder { send(.heartbeat, to: peer.id) }
        }
        if let moment = regenerateAt, moment <= now, stage.needsRing { assemble(at: now) }
        startIfEnough(at: now)
        guard !isPaused else { return }
        watchSnapshot(at: now)
        watchPupils(at: now)
        watchRotation(at: now)
        sayWhoIsAwaited(at: now)
        watchProgress(at: now)
    }

    /// Gives up who has been silent for the peer timeout.
    ///
    /// Whoever has been silent for hardly less, by little more than the time between two
    /// heartbeats, is waited for: where this host is cut off, all go together, and no ring is
    /// formed of those who are next.
    private mutating func giveUpSilent(at now: Instant) {
        let timeout = policy.deadlines.peerTimeout
        let apart = policy.deadlines.heartbeat.count * 5 / 4
        let silent = peersInOrder.filter { $0.lastHeard + timeout < now }
        let fading = Milliseconds(max(0, timeout.count - apart))
        let isAlone = peers.values.count { $0.lastHeard + fading < now } == silent.count
        guard !silent.isEmpty, isAlone else { return }
        for peer in silent { peers[peer.id]?.isPrepared = false }
        for peer in silent {
            lost(peer.id, .silent(milliseconds: now.milliseconds(since: peer.lastHeard)), at: now)
        }
    }

    mutating func forgive(at now: Instant) {
        for id in peers.keys { peers[id]?.lastHeard = now }
        lastMovement = nil
        stageWatch = nil
        snapshot?.lastMovement = now
        for id in peers.keys {
            peers[id]?.pupil?.lastMovement = now
            for index in peers[id]?.pupil?.requests.indices ?? 0..<0 {
                peers[id]?.pupil?.requests[index].since = now
            }
        }
    }

    /// Looks whether those whom the stage waits for get on with it.
    private mutating func watchProgress(at now: Instant) {
        let watched = awaited
        guard !watched.isEmpty else {
            lastMovement = nil
            return
        }
        let sum = (members?.peers ?? watched).reduce(movements) {
            $0 &+ (peers[$1]?.heartbeat?.progress ?? 0)
        }
        guard let last = lastMovement, last.sum == sum else {
            lastMovement = Movement(sum: sum, since: now)
            return
        }
        guard last.since + patience(with: watched) < now else { return }
        lastMovement = nil
        stalled(watched, milliseconds: now.milliseconds(since: last.since), at: now)
    }

    /// Returns those for whom the stage at hand waits, in order; nobody where something else keeps
    /// watch.
    var awaited: [PeerID] {
        switch stage {
        case .waiting, .saving, .finished: []
        // Pupils are watched by their pieces.
        case .restoring(let pending): pending.filter { peers[$0]?.pupil == nil }.sorted()
        case .forming(let pending): pending.sorted()
        case .stepping: members?.peers.filter { votes[$0] == nil } ?? []
        case .evaluating: members?.peers.filter { evaluations[$0] == nil } ?? []
        }
    }

    /// Drawing or loading a whole state is one long piece of work without steps in between.
    private func patience(with watched: [PeerID]) -> Milliseconds {
        let stall = policy.deadlines.stall
        let isPreparing = watched.contains { peers[$0]?.heartbeat?.phase == .preparing }
        return isPreparing ? Milliseconds(8 * stall.count) : stall
    }

    /// Excludes who is stuck in work of its own; where all wait for others, forms the ring anew,
    /// and after some attempts without those who do not find each other.
    private mutating func stalled(_ watched: [PeerID], milliseconds: Int64, at now: Instant) {
        note(
            .stalled(
                step: committed + 1, waiting: names(of: watched), milliseconds: milliseconds))
        var culprits = watched.filter { isInOwnWork($0) }
        switch stage {
        case .restoring: culprits = watched
        // Nobody is to blame; one stays with whom the run goes on.
        case .forming where culprits.isEmpty && attempts > 2:
            let isAll = watched.count == members?.peers.count
            culprits = isAll ? Array(watched.dropFirst()) : watched
        default: break
        }
        // Where all are to blame, others must be there to go on.
        let isAll = culprits.count == members?.peers.count
        if isAll && peers.values.count(where: \.isPrepared) == culprits.count {
            culprits = attempts > 2 ? Array(culprits.dropFirst()) : []
        }
        guard !culprits.isEmpty else { return assemble(at: now) }
        for id in culprits { lost(id, .stuck(milliseconds: milliseconds), at: now) }
    }

    /// Whether a peer has something to do for which it waits for nobody.
    func isInOwnWork(_ id: PeerID) -> Bool {
        switch peers[id]?.heartbeat?.phase {
        case .folding, .voting, .forming: false
        // A member that waits has formed the ring; after that it must have been given an order.
        case .waiting, .joining, nil: !stage.isForming
        case .computing, .updating, .evaluating, .preparing, .receivingState: true
        }
    }
}

extension Coordinator.Stage {
    fileprivate var isForming: Bool { if case .forming = self { true } else { false } }

    /// Whether a broken link holds the stage up.
    var needsRing: Bool {
        switch self {
        case .forming, .stepping: true
        default: false
        }
    }
}
