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

extension RunStatus.Worker {
    /// A peer as the coordinator knows it; `late`: the recent steps in which it was the last to
    /// compute, and by how many seconds on average.
    init(
        _ peer: Peer, _ members: Members?, phase: String, waitingFor: String,
        late: (steps: Int, seconds: Double), at now: Instant
    ) {
        let heartbeat = peer.presence.heartbeat
        self.init(
            id: peer.name, host: peer.hello.address.hostName, pid: peer.hello.processID,
            rank: members?.peers.firstIndex(of: peer.id),
            shards: members?.shards(of: peer.id)?.count ?? 0, phase: phase,
            relayed: peer.isBehindRelay, slice: heartbeat?.slice ?? 0,
            slices: heartbeat?.slices ?? 0, waitingFor: waitingFor,
            heardMilliseconds: Int(now.milliseconds(since: peer.presence.lastHeard)),
            stepMilliseconds: Int(1000 * (peer.pace.computeSeconds ?? 0)), lateSteps: late.steps,
            lateMilliseconds: Int(1000 * late.seconds))
    }
}
