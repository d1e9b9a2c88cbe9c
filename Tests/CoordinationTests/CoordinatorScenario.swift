import Coordination
import Parameters
import Simulation
import Wire

/// A coordinator that is spoken to line by line; what it does is written down beneath.
struct CoordinatorScenario {
    var coordinator: Coordinator
    private(set) var lines: [String] = []
    var tellsWaits = false
    private var now = Instant(nanoseconds: 0)

    static func policy(_ change: (inout CoordinatorPolicy) -> Void = { _ in }) -> CoordinatorPolicy
    {
        var policy = CoordinatorPolicy(
            run: .init(number: 1, epoch: 1, software: "dtrain", configuration: []),
            gathering: .init(workers: 2), shards: 4, steps: 3,
            deadlines: Deadlines(peerTimeout: Milliseconds(1_000)))
        policy.validation.batches = 1
        change(&policy)
        return policy
    }

    /// With one element each in θ, m and v a state is three slices.
    init(
        resumedFrom checkpoint: Int? = nil, recorded: CommittedLine? = nil,
        skips: SkippedSteps = .init(), change: (inout CoordinatorPolicy) -> Void = { _ in },
        parameterCount: Int = 1
    ) {
        coordinator = Coordinator(
            policy: Self.policy(change), parameterCount: parameterCount, resumedFrom: checkpoint,
            recorded: recorded, skips: skips)
    }

    /// What was written since the last call.
    mutating func trace() -> String {
        defer { lines = [] }
        return lines.joined(separator: "\n")
    }

    // MARK: events

    mutating func event(_ what: String, _ event: CoordinatorEvent) {
        lines.append(what)
        for action in coordinator.receive(event, at: now) {
            if isLeftOut(action) { continue }
            lines.append("  " + action.brief { "p\($0.value)" })
        }
    }

    mutating func says(_ peer: UInt64, _ message: WorkerMessage) {
        event("p\(peer): \(message.brief)", .received(PeerID(peer), message))
    }

    mutating func breaks(_ peer: UInt64) { event("p\(peer) broke", .disconnected(PeerID(peer))) }

    /// Time passes in which the peers send heartbeats and the coordinator is awake.
    mutating func wait(
        _ milliseconds: Int64, hearing peers: [UInt64: WorkerPhase] = [:]
    ) {
        event("\(milliseconds) ms pass", .tick)
        var left = milliseconds
        while left > 0 {
            let span = min(left, 100)
            left -= span
            now = now + Milliseconds(span)
            for (peer, phase) in peers.sorted(by: { $0.key < $1.key }) {
                let heartbeat = Heartbeat(phase: phase, step: 0, progress: 0, waitingFor: "")
                quietly(.received(PeerID(peer), .heartbeat(heartbeat)))
            }
            quietly(.tick)
        }
    }

    /// Time passes in which the coordinator itself is stopped.
    mutating func sleep(_ milliseconds: Int64) {
        now = now + Milliseconds(milliseconds)
        event("stopped for \(milliseconds) ms", .tick)
    }

    /// Heartbeats, what is told to observers alone, and what is said of waits unless that is what the
    /// scene is about.
    private func isLeftOut(_ action: CoordinatorAction) -> Bool {
        switch action {
        case .send(_, .heartbeat), .phases: true
        case .note(.awaiting), .note(.gathering): !tellsWaits
        default: false
        }
    }

    private mutating func quietly(_ event: CoordinatorEvent) {
        for action in coordinator.receive(event, at: now) {
            if isLeftOut(action) { continue }
            lines.append("  " + action.brief { "p\($0.value)" })
        }
    }

    // MARK: what workers say

    mutating func hello(
        _ peer: UInt64, instance: UInt64? = nil, probe: UInt64 = 0, on host: String = "host",
        run: UInt64? = 1, board: MemoryPlace? = nil
    ) {
        says(
            peer,
            .hello(
                Hello(
                    software: "dtrain",
                    address: PeerAddress(
                        hostKey: host, hostName: "h", ipc: "", tcp: "tcp://\(peer)",
                        board: board),
                    processID: Int(peer), instance: instance ?? peer, threads: 1,
                    kernel: "kernel \(probe)", probe: FastDigest(high: probe, low: 0), run: run)))
    }

    mutating func joins(
        _ peer: UInt64, holds: Int? = nil, folded: FoldedStep? = nil, on host: String = "host"
    ) {
        hello(peer, on: host)
        prepared(peer, holds: holds, folded: folded)
    }

    /// A state with this digest is in memory, if `holds` says of which step.
    mutating func prepared(
        _ peer: UInt64, holds: Int? = nil, digest: UInt64 = 5, folded: FoldedStep? = nil,
        lines: [CommittedLine] = []
    ) {
        let state = holds.map { HeldState(step: $0, digest: FastDigest(high: digest, low: 0)) }
        says(peer, .prepared(Holdings(state: state, folded: folded, lines: lines)))
    }

    mutating func stateReady(
        _ peer: UInt64, step: Int, digest: UInt64 = 5, number: UInt32 = 1
    ) {
        let held = HeldState(step: step, digest: FastDigest(high: digest, low: 0))
        says(peer, .stateReady(held, number: number))
    }

    mutating func updated(_ peer: UInt64, step: Int, digest: UInt64 = 5) {
        let held = HeldState(step: step, digest: FastDigest(high: digest, low: 0))
        says(peer, .updated(Update(held)))
    }

    mutating func formed(_ counter: UInt32, _ peers: UInt64...) {
        for peer in peers { says(peer, .formed(Generation(epoch: 1, counter: counter))) }
    }

    mutating func votes(
        _ peer: UInt64, _ counter: UInt32, step: Int, _ shards: Range<Int>, total: UInt64 = 7,
        state: UInt64 = 5, norm: Double = 1, nonFinite: [UInt32] = [], computing: Double = 0,
        waiting: Double = 0, carrying rate: Double = 0
    ) {
        let reports = shards.map {
            ShardReport(shard: $0, smoothed: 1, negativeLogLikelihood: 1, labels: 1)
        }
        func nanoseconds(_ seconds: Double) -> Int64 { Int64((1e9 * seconds).rounded()) }
        says(
            peer,
            .voted(
                Vote(
                    generation: Generation(epoch: 1, counter: counter), step: step,
                    total: FastDigest(high: total, low: 0), state: FastDigest(high: state, low: 0),
                    squaredNorm: norm, nonFiniteShards: nonFinite, reports: reports,
                    compute: WorkerSpan(begin: 0, end: nanoseconds(computing)),
                    fold: WorkerSpan(
                        begin: nanoseconds(computing), end: nanoseconds(computing + waiting)),
                    linkRate: rate)))
    }

    mutating func slice(
        _ peer: UInt64, step: Int, _ section: StateSection, offset: Int = 0
    ) {
        says(
            peer,
            .slice(
                StateSlice(
                    step: step, adamCount: step, section: section, offset: offset,
                    bytes: [0, 0, 0, 0])))
    }

    /// A donor says what its copy holds.
    mutating func captures(_ peer: UInt64, step: Int, digest: UInt64 = 5) {
        quietly(
            .received(
                PeerID(peer),
                .captured(HeldState(step: step, digest: FastDigest(high: digest, low: 0)))))
    }

    mutating func piece(_ peer: UInt64, _ content: StatePiece.Content, step: Int) {
        says(
            peer, .piece(StatePiece(step: step, adamCount: step, offset: 0, content: content)))
    }

    // MARK: stretches

    /// Two workers, with the state of step 0, in ring 1.1 and ordered to do step 1.
    mutating func startTwo() {
        joins(1)
        joins(2)
        for peer: UInt64 in [1, 2] { stateReady(peer, step: 0) }
        formed(1, 1, 2)
        lines = []
    }

    /// Both vote alike on a step, and follow its commit.
    mutating func bothVote(
        _ counter: UInt32, step: Int, computing: (Double, Double) = (0, 0)
    ) {
        votes(1, counter, step: step, 0..<2, computing: computing.0)
        votes(2, counter, step: step, 2..<4, computing: computing.1)
        quietly(.received(PeerID(1), .updated(Update(Self.state(step)))))
        quietly(.received(PeerID(2), .updated(Update(Self.state(step)))))
    }

    /// A line of the ledger, as `votes` leads to it.
    static func line(_ step: Int, epoch: UInt32 = 1) -> CommittedLine {
        CommittedLine(
            generation: Generation(epoch: epoch, counter: 1), step: step,
            total: FastDigest(high: 7, low: 0), state: FastDigest(high: 5, low: 0), loss: 1,
            skipped: false)
    }

    private static func state(_ step: Int) -> HeldState {
        HeldState(step: step, digest: FastDigest(high: 5, low: 0))
    }
}
