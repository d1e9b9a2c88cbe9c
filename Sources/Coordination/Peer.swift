import Parameters
import Wire

/// A worker that has been welcomed.
struct Peer: Sendable {
    let id: PeerID
    let number: Int
    let hello: Hello
    var isPrepared = false
    /// The state in its memory, and the one on its way.
    var state = PeerState()
    /// When it was heard, and what it says of itself.
    var presence: Presence
    /// How fast it is, and what its clock shows.
    var pace = Pace()

    var name: String { "w\(number)" }

    var named: NamedWorker { NamedWorker(name: name, host: hello.address.hostName) }

    /// It can only connect outwards.
    var isBehindRelay: Bool { RelayAddress.isEndpoint(hello.address.tcp) }

    /// Whether ring frames between two go through the coordinator: one of them cannot be connected
    /// to from elsewhere.
    func isRelayed(to other: Peer) -> Bool { isBehindRelay || other.isBehindRelay }

    /// Returns the address at which it finds its successor.
    func place(of successor: Peer) -> PeerAddress {
        var address = successor.hello.address
        if isRelayed(to: successor) {
            address.tcp = RelayAddress.endpoint(ofInstance: successor.hello.instance)
        }
        return address
    }
}

/// A worker as people know it.
package struct NamedWorker: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The name that the coordinator gave it, as `w3`.
    package var name: String
    /// The name of its host, as the worker said it.
    package var host: String

    /// Name and host, as `w3@host`.
    package var description: String { "\(name)@\(host)" }
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
}

/// The state in a peer's memory, and the one that is on its way to a peer that lacks it.
struct PeerState: Sendable {
    /// The step of the state that it has in memory, or will have once it has followed the commit.
    private(set) var holds: Int?
    /// Digest of that state as it was written, once the worker has told.
    private(set) var written: FastDigest?
    /// Counts the states that were sent to it.
    private(set) var number: UInt32 = 0
    /// Whence a whole state is under way to it.
    private(set) var delivery: Origin?
    /// The step of which it has learned a state that was not the run's.
    private(set) var mistaught: Int?
    /// When its state began to come from elsewhere, while it does.
    private var since: Instant?

    /// The worker says what it has in memory.
    mutating func tells(_ held: HeldState?) {
        holds = held?.step
        written = held?.digest
    }

    /// What was in memory counts no more.
    mutating func forget() { tells(nil) }

    /// A commit goes out to it.
    mutating func follow(step: Int) {
        holds = step
        written = nil
    }

    /// It has followed that commit.
    mutating func followed(_ digest: FastDigest) { written = digest }

    /// It has learned a state that was not the run's.
    mutating func mislearned(step: Int) { mistaught = step }

    /// A state from elsewhere begins to come.
    ///
    /// - Returns: the number by which the worker is to know it.
    mutating func begin(at now: Instant) -> UInt32 {
        since = now
        number &+= 1
        return number
    }

    /// The state is whole, or will never be.
    ///
    /// - Returns: when it began to come.
    mutating func end() -> Instant? {
        defer { since = nil }
        return since
    }

    mutating func deliver(from origin: Origin) { delivery = origin }

    mutating func endDelivery() { delivery = nil }
}

/// When a peer was heard, and what it says of itself.
struct Presence: Sendable {
    private(set) var lastHeard: Instant
    private(set) var heartbeat: Heartbeat?
    /// Its phase in the ring before, while nothing has come from it since.
    private(set) var phaseBefore: String?

    init(at now: Instant) { lastHeard = now }

    mutating func heard(at now: Instant) {
        lastHeard = now
        phaseBefore = nil
    }

    /// Nobody is judged by the silence before this moment.
    mutating func excuse(at now: Instant) { lastHeard = now }

    mutating func tells(_ new: Heartbeat) { heartbeat = new }

    /// Its ring is no more.
    mutating func left(in phase: String) { phaseBefore = phase }

    func isSilent(for span: Milliseconds, at now: Instant) -> Bool { lastHeard + span < now }

    /// Whether it has something to do for which it waits for nobody.
    func isInOwnWork(while stage: Stage) -> Bool {
        switch heartbeat?.phase {
        case .folding, .voting, .forming: false
        // A member that waits has formed the ring; after that it must have been given an order.
        case .waiting, .joining, nil: !stage.isForming
        case .computing, .updating, .evaluating, .preparing, .receivingState: true
        }
    }
}

/// How fast a peer is, and what its clock shows.
struct Pace: Sendable {
    private var clock = ClockEstimate()
    /// When the last commit went, until it is answered.
    private var committedAt: Instant?
    /// Seconds that its shards took in the last step that it voted on.
    private(set) var computeSeconds: Double?
    private var speed = ShardSpeed()

    /// Median time of a shard on one lane, in seconds; nil until enough steps are known.
    var secondsPerShard: Double? { speed.secondsPerShard }

    /// The offset of its clock by the answer that says it best.
    func offset(at now: Instant) -> ClockEstimate.Offset? { clock.offset(at: now) }

    /// An order that went at `sent` is answered.
    mutating func answered(sent: Instant, _ times: OrderTimes, at now: Instant) {
        clock.add(sent: sent, times, received: now)
    }

    /// A commit goes out to it.
    mutating func committed(at now: Instant) { committedAt = now }

    /// The commit is answered; false if there was none.
    mutating func followed(_ times: OrderTimes, at now: Instant) -> Bool {
        guard let sent = committedAt else { return false }
        committedAt = nil
        answered(sent: sent, times, at: now)
        return true
    }

    /// Takes note of a step's computing time. A step that was folded anew found some of its shards
    /// computed: it tells nothing of the speed.
    mutating func computed(_ vote: Vote, threads: Int, isAnew: Bool) {
        computeSeconds = vote.computeSeconds
        guard !isAnew else { return }
        speed.add(vote.computeSeconds, shards: vote.reports.count, threads: threads)
    }
}
