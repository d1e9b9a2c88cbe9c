import Wire

/// How a run stands, for whoever asks.
package struct RunStatus: Codable, Hashable, Sendable {
    package enum State: String, Codable, Sendable { case waiting, running, recovering, finished }

    /// The last committed step, of how many.
    package var step: Int
    package var steps: Int
    package var generation: Int
    package var incarnation: Int
    package var state: State
    /// Training waits until the ledger can be written.
    package var paused: Bool
    package var workers: [Worker]

    package struct Worker: Codable, Hashable, Sendable {
        package var id: String
        package var host: String
        package var pid: Int
        /// Its place in the ring; nil outside it.
        package var rank: Int?
        package var shards: Int
        package var phase: String
        /// Its ring frames go through the coordinator.
        package var relayed: Bool
        /// Slices of the gradient whose total is known, of how many.
        package var slice: Int
        package var slices: Int
        /// A worker's name, or empty where it waits for nobody.
        package var waitingFor: String
        package var heardMilliseconds: Int
        /// Computing its shards of the last step.
        package var stepMilliseconds: Int
        /// Of the last 50 steps: in how many it was the last, and by how much on average.
        package var lateSteps: Int
        package var lateMilliseconds: Int

        enum CodingKeys: String, CodingKey {
            case id, host, pid, rank, shards, phase, relayed, slice, slices
            case waitingFor = "waiting_for"
            case heardMilliseconds = "heard_ms"
            case stepMilliseconds = "step_ms"
            case lateSteps = "late_steps"
            case lateMilliseconds = "late_ms"
        }
    }
}

/// Whom the run waits for, and what that one is doing.
package struct Awaited: Hashable, Sendable {
    package var name: String
    package var host: String
    package var phase: String
    package var waitingFor: String
}

extension Coordinator {
    package func status(at now: Instant) -> RunStatus {
        RunStatus(
            step: lastCommitted, steps: policy.steps, generation: Int(counter),
            incarnation: Int(policy.epoch), state: state,
            paused: isPaused, workers: peersInOrder.map { worker($0, at: now) })
    }

    private var state: RunStatus.State {
        switch stage {
        case .waiting: .waiting
        case .restoring, .forming: hasStarted ? .recovering : .waiting
        case .stepping, .evaluating, .saving: .running
        case .finished: .finished
        }
    }

    private func worker(_ peer: Peer, at now: Instant) -> RunStatus.Worker {
        let late = stragglers.lateness(of: peer.id)
        return RunStatus.Worker(
            id: peer.name, host: peer.hello.address.hostName, pid: peer.hello.processID,
            rank: members?.peers.firstIndex(of: peer.id),
            shards: members?.shards(of: peer.id)?.count ?? 0, phase: phase(of: peer),
            relayed: peer.isBehindRelay,
            slice: peer.heartbeat?.slice ?? 0, slices: peer.heartbeat?.slices ?? 0,
            waitingFor: waitingFor(peer),
            heardMilliseconds: Int(now.milliseconds(since: peer.lastHeard)),
            stepMilliseconds: Int(1000 * (peer.computeSeconds ?? 0)), lateSteps: late.steps,
            lateMilliseconds: Int(1000 * late.seconds))
    }

    /// What it says that it does, and what it must be doing where its last heartbeat is older.
    func phase(of peer: Peer) -> String {
        if peer.pupil != nil { return "learning" }
        if let phase = peer.phaseBefore { return phase }
        let said = peer.heartbeat?.phase ?? .joining
        guard case .stepping(let step, _) = stage, members?.peers.contains(peer.id) == true else {
            return said == .receivingState ? "receiving the state" : "\(said)"
        }
        if votes[peer.id] != nil { return "\(WorkerPhase.voting)" }
        if peer.heartbeat?.step == step && said == .folding { return "\(said)" }
        return "\(peer.written == nil ? WorkerPhase.updating : .computing)"
    }

    /// The neighbour for which its fold waits, by name.
    private func waitingFor(_ peer: Peer) -> String {
        guard let members, let rank = members.peers.firstIndex(of: peer.id) else { return "" }
        let count = members.peers.count
        let neighbour: PeerID
        // A heartbeat from before the step at hand tells of another wait.
        guard phase(of: peer) == "\(WorkerPhase.folding)" else { return "" }
        switch peer.heartbeat?.waitingFor {
        case "predecessor": neighbour = members.peers[(rank + count - 1) % count]
        case "successor": neighbour = members.peers[(rank + 1) % count]
        default: return ""
        }
        return peers[neighbour]?.name ?? ""
    }

    /// Says whom the run waits for when a stage takes longer than it did before, then ever more
    /// rarely.
    mutating func sayWhoIsAwaited(at now: Instant) {
        let key = StageKey(committed: committed, counter: counter, movements: movements)
        guard let watch = stageWatch, watch.key == key else {
            stageWatch = StageWatch(key: key, since: now, patience: usualPatience)
            return
        }
        let silence = now.milliseconds(since: watch.since)
        guard silence >= watch.patience.count else { return }
        stageWatch?.patience = Milliseconds(2 * watch.patience.count)
        if stage == .waiting { return sayHowManyAreMissing(milliseconds: silence) }
        let waited = awaited
        guard !waited.isEmpty else { return }
        // Who waits for another is not the one to name, if anybody is silent or at work.
        let limit = Milliseconds(policy.deadlines.heartbeat.count * 3 / 2)
        let silent = waited.filter { (peers[$0]?.lastHeard).map { $0 + limit < now } ?? false }
        let busy = silent.isEmpty ? waited.filter { isInOwnWork($0) } : silent
        note(
            .awaiting(
                step: committed + 1, (busy.isEmpty ? waited : busy).compactMap(description),
                milliseconds: silence))
    }

    /// Of a run that has not started: those who are here are not the ones to name.
    private mutating func sayHowManyAreMissing(milliseconds: Int64) {
        let ready = peersInOrder.filter(\.isPrepared)
        let missing = policy.workers - ready.count
        guard !hasStarted, !isStopping, missing > 0 else { return }
        note(
            .gathering(
                names: ready.map(\.name), missing: missing, milliseconds: milliseconds))
    }

    private func description(of id: PeerID) -> Awaited? {
        peers[id].map {
            Awaited(
                name: $0.name, host: $0.hello.address.hostName, phase: phase(of: $0),
                waitingFor: waitingFor($0))
        }
    }

    /// Three of the recent steps, but no less than a quarter of the peer timeout.
    private var usualPatience: Milliseconds {
        let step = members?.peers.compactMap { peers[$0]?.computeSeconds }.max() ?? 0
        return Milliseconds(max(policy.deadlines.peerTimeout.count / 4, Int64(3000 * step)))
    }

    /// Notes computing times, and names who holds the others up in most steps.
    mutating func time(_ votes: [Vote], _ members: Members, stepSeconds: Double) {
        for (id, vote) in zip(members.peers, votes) {
            peers[id]?.computeSeconds = vote.computeSeconds
            // A step that was folded anew found some of its shards computed.
            guard attempts == 0, let peer = peers[id] else { continue }
            peers[id]?.speed.add(
                vote.computeSeconds, shards: vote.reports.count, threads: peer.hello.threads)
        }
        stragglers.add(
            zip(members.peers, votes).map { ($0, $1.computeSeconds) }, step: stepSeconds)
        guard let news = stragglers.news(), let peer = peers[news.peer] else { return }
        note(
            .straggler(
                name: peer.name, host: peer.hello.address.hostName, steps: news.steps,
                milliseconds: Int64((1000 * news.delay).rounded()),
                stepMilliseconds: Int64((1000 * news.step).rounded())))
    }
}

/// Changes whenever the run gets on.
struct StageKey: Hashable, Sendable {
    var committed: Int
    var counter: UInt32
    var movements: UInt64
}

/// Since when a stage has not moved, and how long that is taken for usual.
struct StageWatch: Sendable {
    var key: StageKey
    var since: Instant
    var patience: Milliseconds
}
