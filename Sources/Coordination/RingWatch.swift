/// How soon the ring may be formed anew though nothing is broken: less and less often among the same
/// workers.
struct RingWatch: Sendable {
    private static let longestPatience = 256

    private var workers: Set<PeerID> = []
    private(set) var step = 0
    private(set) var patience = ShardSpeed.window
    /// Of the last steps, the shares of their time in which all waited for links.
    private var waits: [Double] = []

    /// A ring is formed: among other workers than before the counting begins anew.
    mutating func formed(_ new: Set<PeerID>, at step: Int) {
        guard new != workers else { return }
        self = RingWatch()
        workers = new
        self.step = step
    }

    mutating func wait(at step: Int) {
        self.step = step
        patience = min(2 * patience, Self.longestPatience)
        waits = []
    }

    mutating func waited(_ seconds: Double, of step: Double) {
        guard step > 0 else { return }
        waits.append(min(1, seconds / step))
        if waits.count > ShardSpeed.window { waits.removeFirst() }
    }

    /// The median, once there are enough.
    var waitingShare: Double? {
        guard waits.count == ShardSpeed.window else { return nil }
        return waits.sorted()[ShardSpeed.window / 2]
    }
}
