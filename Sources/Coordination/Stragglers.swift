/// Who was the last to compute its shards over the recent steps, and how long the others waited.
struct Stragglers: Sendable {
    private struct Step: Sendable {
        var peer: PeerID
        var delay: Double
        var compute: Double
    }

    /// Steps that are remembered.
    static let window = 50

    private var steps: [Step] = []

    /// One step's computing times by member; with one member nobody waits.
    mutating func add(_ seconds: [(peer: PeerID, compute: Double)]) {
        let ordered = seconds.sorted { ($0.compute, $0.peer) > ($1.compute, $1.peer) }
        guard ordered.count > 1 else { return }
        steps.append(
            Step(
                peer: ordered[0].peer, delay: ordered[0].compute - ordered[1].compute,
                compute: ordered[0].compute))
        if steps.count > Self.window { steps.removeFirst() }
    }

    mutating func forget() { steps = [] }

    /// Steps of the recent ones in which this one was last, and the mean seconds that it was late in them.
    func lateness(of peer: PeerID) -> (steps: Int, seconds: Double) {
        let late = steps.filter { $0.peer == peer }
        guard !late.isEmpty else { return (0, 0) }
        return (late.count, late.reduce(0) { $0 + $1.delay } / Double(late.count))
    }

    /// Once the window is full: who was last in most steps, by more than a tenth of its computing.
    func worst() -> (peer: PeerID, steps: Int, seconds: Double)? {
        guard steps.count == Self.window else { return nil }
        for peer in Set(steps.map(\.peer)).sorted() {
            let (count, seconds) = lateness(of: peer)
            let compute = steps.reduce(0) { $0 + $1.compute } / Double(steps.count)
            if count * 10 > Self.window * 6 && seconds > 0.1 * compute {
                return (peer, count, seconds)
            }
        }
        return nil
    }
}
