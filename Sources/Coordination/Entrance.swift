import Parameters
import Wire

/// Decides who is let in, and when there are enough to begin.
struct Entrance: Sendable {
    private let policy: CoordinatorPolicy
    /// The kernel's name and the probe's digest of the members, once a step of theirs is committed.
    private var arithmetic: (kernel: String, probe: FastDigest)?
    /// When the first of those who are here had built its model.
    private var firstPrepared: Instant?

    init(_ policy: CoordinatorPolicy) { self.policy = policy }

    /// The arithmetic of the first commit is the run's, before that the first worker's: who
    /// computes other bits is not let in.
    func refusal(of hello: Hello, beside peers: Peers) -> Refusal? {
        let ours = policy.run
        guard hello.software == ours.software else {
            return .version(theirs: hello.software, ours: ours.software)
        }
        guard hello.arithmetic == ours.arithmetic else {
            return .version(
                theirs: "\(hello.software) with arithmetic \(hello.arithmetic)",
                ours: "\(ours.software) with arithmetic \(ours.arithmetic)")
        }
        let other = peers.inOrder.first { $0.hello.instance != hello.instance }?.hello
        let run = arithmetic ?? other.map { ($0.kernel, $0.probe) }
        if let run, run.probe != hello.probe {
            return .arithmetic(theirs: hello.kernel, ours: run.kernel)
        }
        return peers.count < Peers.limit ? nil : .full(limit: Peers.limit)
    }

    /// A step of this worker's is committed.
    mutating func settle(on hello: Hello?) {
        arithmetic = arithmetic ?? hello.map { ($0.kernel, $0.probe) }
    }

    /// A worker has built its model.
    mutating func prepared(at now: Instant) { firstPrepared = firstPrepared ?? now }

    /// Nobody is here any more.
    mutating func emptied() { firstPrepared = nil }

    /// Whether to start: with `--workers` workers, or with fewer some time after the first.
    func isEnough(_ ready: Int, hasStarted: Bool, isResumed: Bool, at now: Instant) -> Bool {
        guard let firstPrepared else { return false }
        // A run under way goes on soon: who comes later takes the state while others train.
        let grace = isResumed ? policy.deadlines.gathering : policy.gathering.grace
        let waitedLongEnough =
            firstPrepared + grace <= now && (hasStarted || !policy.gathering.waitForAll)
        return ready >= policy.gathering.workers || (ready > 0 && waitedLongEnough)
    }
}
