/// Finds the worker that was last to compute its shards over the recent steps.
struct Stragglers: Sendable {
    private struct Step: Sendable {
        var peer: PeerID
        var delay: Double
        /// Seconds of the whole step.
        var seconds: Double
    }

    /// The worker that holds the others up, and what that costs.
    struct Finding: Hashable, Sendable {
        var peer: PeerID
        /// Number of the recent steps in which it was last.
        var steps: Int
        /// Medians over these: the delay, and the time of a whole step.
        var delay: Double
        var step: Double
    }

    /// Steps that are remembered.
    static let window = 50
    /// The least share of a step and the fewest seconds that are told: less than that is noise.
    private static let share = 0.1
    private static let leastDelay = 0.001

    private var steps: [Step] = []
    /// The last finding told, the steps since, and the steps before it is told again.
    private var told: Finding?
    private var stepsSince = 0
    private var patience = Self.window

    /// One step's computing times by member, and its own; with one member nobody waits.
    mutating func add(_ seconds: [(peer: PeerID, compute: Double)], step: Double) {
        stepsSince += 1
        let ordered = seconds.sorted { ($0.compute, $0.peer) > ($1.compute, $1.peer) }
        guard ordered.count > 1 else { return }
        steps.append(
            Step(
                peer: ordered[0].peer, delay: ordered[0].compute - ordered[1].compute,
                seconds: step))
        if steps.count > Self.window { steps.removeFirst() }
    }

    /// Steps of the recent ones in which this one was last, and the mean seconds that it was late
    /// in them.
    func lateness(of peer: PeerID) -> (steps: Int, seconds: Double) {
        let late = steps.filter { $0.peer == peer }
        guard !late.isEmpty else { return (0, 0) }
        return (late.count, late.reduce(0) { $0 + $1.delay } / Double(late.count))
    }

    /// Returns the worker to tell of: once, and again when it is another, or costs twice or half as
    /// much, but ever more rarely.
    mutating func news() -> Finding? {
        guard stepsSince >= patience, let worst, !isTold(worst) else { return nil }
        told = worst
        stepsSince = 0
        patience *= 2
        return worst
    }

    private func isTold(_ finding: Finding) -> Bool {
        guard let told, told.peer == finding.peer else { return false }
        return finding.delay < 2 * told.delay && finding.delay > told.delay / 2
    }

    /// The worker that was last in more than six of ten steps, at enough cost; nil before the
    /// window is full.
    private var worst: Finding? {
        guard steps.count == Self.window else { return nil }
        for peer in Set(steps.map(\.peer)).sorted() {
            let late = steps.filter { $0.peer == peer }
            guard late.count * 10 > Self.window * 6 else { continue }
            let finding = Finding(
                peer: peer, steps: late.count, delay: Self.median(late.map(\.delay)),
                step: Self.median(late.map(\.seconds)))
            let isCostly =
                finding.delay >= Self.leastDelay && finding.delay > Self.share * finding.step
            return isCostly ? finding : nil
        }
        return nil
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
