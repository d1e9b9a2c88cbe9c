import Wire

/// The state of a run, as `status` and the run's page show it.
package struct RunStatus: Codable, Hashable, Sendable {
    /// The stages that people are told of: waiting for workers, training, forming a ring again,
    /// done.
    package enum State: String, Codable, Sendable { case waiting, running, recovering, finished }

    /// The last committed step.
    package var step: Int
    /// The step at which the run is finished.
    package var steps: Int
    /// Number of rings that this coordinator has formed.
    package var generation: Int
    /// Number of times that a coordinator has opened the run folder.
    package var incarnation: Int
    /// The stage of the run.
    package var state: State
    /// Training waits until the ledger can be written.
    package var paused: Bool
    /// All peers, in the order in which they were welcomed.
    package var workers: [Worker]

    /// A peer, in the ring or outside it.
    package struct Worker: Codable, Hashable, Sendable {
        /// The name that the coordinator gave it, as `w3`.
        package var id: String
        /// The name of its host.
        package var host: String
        /// Its process id on that host.
        package var pid: Int
        /// Its place in the ring; nil outside it.
        package var rank: Int?
        /// Number of shards that it computes; 0 outside the ring.
        package var shards: Int
        /// The phase that it is in, in words.
        package var phase: String
        /// Its ring frames go through the coordinator.
        package var relayed: Bool
        /// Chunks of the gradient whose total is known.
        package var slice: Int
        /// Number of chunks of the gradient.
        package var slices: Int
        /// A worker's name, or empty where it waits for nobody.
        package var waitingFor: String
        /// Milliseconds since its last message.
        package var heardMilliseconds: Int
        /// Milliseconds that computing its shards took in the last step.
        package var stepMilliseconds: Int
        /// Number of the last 50 steps in which it was the last to compute.
        package var lateSteps: Int
        /// Milliseconds by which it was last in them, on average.
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

/// A worker for which the run waits.
package struct Awaited: Hashable, Codable, Sendable {
    /// The worker's name, as `w3`.
    package var name: String
    /// The name of its host.
    package var host: String
    /// The phase that it is in, in words.
    package var phase: String
    /// The neighbour for which its fold waits, by name; empty if it waits for nobody.
    package var waitingFor: String

    enum CodingKeys: String, CodingKey {
        case name, host, phase
        case waitingFor = "waiting_for"
    }
}

extension Coordinator {
    /// Returns the state of the run; `now` tells how long ago each peer was heard.
    package func status(at now: Instant) -> RunStatus {
        RunStatus(
            step: lastCommitted, steps: policy.steps, generation: Int(counter),
            incarnation: Int(policy.run.epoch), state: state,
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

    /// Returns the phase that a peer tells, or the one that it must be in where its heartbeat is
    /// older.
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

    /// Says for whom the run waits when a stage takes longer than it did before, then ever more
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

    /// Says how many workers a run that has not started waits for: those who are here are not the
    /// ones to name.
    private mutating func sayHowManyAreMissing(milliseconds: Int64) {
        let ready = peersInOrder.filter(\.isPrepared)
        let missing = policy.gathering.workers - ready.count
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

    /// Notes computing times, and names the worker that holds the others up in most steps.
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

/// The moment since which a stage has not moved, and the time that is usual.
struct StageWatch: Sendable {
    var key: StageKey
    var since: Instant
    var patience: Milliseconds
}
