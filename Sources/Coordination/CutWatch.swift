/// Watches whether shards are worth cutting anew among the same workers.
///
/// Speeds are noisy where others use the machine: another cut must promise a gain at every look for
/// a while, and after each cut for twice as long, and more of it.
struct CutWatch: Sendable {
    /// Steps between two looks: all measurements are new then.
    static let pause = ShardSpeed.window
    /// Seconds that a cut must promise: forming a ring takes as long as many small steps.
    static let leastGain = 0.003
    private static let firstLooks = 3
    private static let mostLooks = 32
    /// The share of a step's time that a cut may take after a first one.
    private static let worthwhileAgain = 0.8

    private var workers: Set<PeerID> = []
    /// The first shards of a cut, and the number of looks at which it has promised a gain.
    private var candidate: (bounds: [Int], looks: Int)?
    private var looksNeeded = Self.firstLooks
    private var lastLook = 0

    /// A ring is formed: among other workers than before all begins anew.
    mutating func formed(_ new: Set<PeerID>, at step: Int) {
        if new != workers { self = CutWatch() }
        workers = new
        candidate = nil
        lastLook = step
    }

    /// Whether it is time to look at the speeds again.
    func isDue(at step: Int) -> Bool { step >= lastLook + Self.pause }

    /// Takes note of what speeds promise; true when one and the same cut has promised it for long
    /// enough.
    mutating func look(
        at step: Int, current: [Int], best: [Int], speeds: [Balance.Member]
    ) -> Bool {
        lastLook = step
        let before = Balance.seconds(current, speeds)
        let limit = looksNeeded == Self.firstLooks ? Balance.worthwhile : Self.worthwhileAgain
        func promises(_ bounds: [Int]) -> Bool {
            let after = Balance.seconds(bounds, speeds)
            return after < limit * before && before - after >= Self.leastGain
        }
        if let last = candidate, promises(last.bounds) {
            candidate = (last.bounds, last.looks + 1)
        } else {
            candidate = promises(best) ? (best, 1) : nil
        }
        guard let candidate, candidate.looks >= looksNeeded, promises(best) else { return false }
        self.candidate = nil
        looksNeeded = min(2 * looksNeeded, Self.mostLooks)
        return true
    }
}
