/// Whether shards are worth cutting anew among the same workers.
///
/// Speeds are noisy where others use the machine: another cut must promise a gain at every look for a
/// while, and after each cut for twice as long, and more of it.
struct CutWatch: Sendable {
    /// Steps between two looks: all measurements are new then.
    static let pause = ShardSpeed.window
    /// Seconds that a cut must promise: forming a ring takes as long as many small steps.
    static let leastGain = 0.003
    private static let firstLooks = 3
    private static let mostLooks = 32
    /// After a first cut.
    private static let worthwhileAgain = 0.8

    private var workers: Set<PeerID> = []
    private var looks = 0
    private var looksNeeded = Self.firstLooks
    private var lastLook = 0

    /// A ring is formed: among other workers than before all begins anew.
    mutating func formed(_ new: Set<PeerID>, at step: Int) {
        if new != workers { self = CutWatch() }
        workers = new
        looks = 0
        lastLook = step
    }

    /// Whether it is time to look.
    func isDue(at step: Int) -> Bool { step >= lastLook + Self.pause }

    /// Takes note of what the best cut promises; true when it has promised it for long enough.
    mutating func look(at step: Int, before: Double, after: Double) -> Bool {
        lastLook = step
        let limit = looksNeeded == Self.firstLooks ? Balance.worthwhile : Self.worthwhileAgain
        let promises = after < limit * before && before - after >= Self.leastGain
        looks = promises ? looks + 1 : 0
        guard looks >= looksNeeded else { return false }
        looks = 0
        looksNeeded = min(2 * looksNeeded, Self.mostLooks)
        return true
    }
}
