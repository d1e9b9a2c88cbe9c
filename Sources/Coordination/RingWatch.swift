/// Decides how soon the ring may be formed anew though nothing is broken: less and less often among
/// the same workers.
struct RingWatch: Sendable {
    private static let longestPatience = 256

    private var workers: Set<PeerID> = []
    private(set) var step = 0
    private(set) var patience = ShardSpeed.window
    /// The last steps' seconds, and in how many of them all waited for links.
    private var waits: [(share: Double, step: Double)] = []

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
        waits.append((min(1, seconds / step), step))
        if waits.count > ShardSpeed.window { waits.removeFirst() }
    }

    /// The share of a step in which all waited for links, and a step's seconds: medians, once there
    /// are enough.
    var waiting: (share: Double, step: Double)? {
        guard waits.count == ShardSpeed.window else { return nil }
        return (
            waits.map(\.share).sorted()[ShardSpeed.window / 2],
            waits.map(\.step).sorted()[ShardSpeed.window / 2]
        )
    }
}
