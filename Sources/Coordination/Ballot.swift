import Parameters
import Wire

/// The votes of a ring's members on one step, and what follows from them.
struct Ballot: Sendable {
    /// What the members have found.
    enum Verdict: Hashable {
        /// These have another state in memory than was written.
        case statesDiffer([PeerID])
        /// The gradient or the losses are not finite, because of these shards.
        case notFinite(shards: [Int])
        /// These have another total.
        case totalsDiffer([PeerID])
        case agreed
    }

    /// Times that one step is folded again before the run is given up.
    private static let patience = 3

    private var votes: [PeerID: Vote] = [:]
    /// Folds of the step at hand that came to nothing because members disagreed.
    private var refolds = 0

    mutating func clear() { votes = [:] }

    func has(_ id: PeerID) -> Bool { votes[id] != nil }

    mutating func add(_ vote: Vote, of id: PeerID) { votes[id] = vote }

    /// All votes in rank order; nil until they are there.
    func whole(_ members: Members) -> [Vote]? {
        guard votes.count == members.peers.count else { return nil }
        return members.peers.map { votes[$0]! }
    }

    /// The members have not agreed: whether the step is to be folded again.
    mutating func again() -> Bool {
        refolds += 1
        return refolds <= Self.patience
    }

    mutating func committed() { refolds = 0 }

    /// Holds votes against each other; `written`: the digests of the states as they were written.
    static func verdict(
        _ votes: [Vote], _ written: [FastDigest], _ members: Members
    ) -> Verdict {
        // A damaged state may show as a NaN: whoever has one is to take the state anew.
        if let odd = written.minority { return .statesDiffer(odd.map { members.peers[$0] }) }
        // All wrote the same: whose memory no longer holds it is named, even of two.
        let damaged = votes.indices.filter { votes[$0].state != written[$0] }
        if !damaged.isEmpty { return .statesDiffer(damaged.map { members.peers[$0] }) }
        // NaN payloads do not commute, so this verdict comes before the totals are compared.
        let nonFinite = nonFiniteShards(votes)
        if !nonFinite.isEmpty || votes.allSatisfy({ !$0.squaredNorm.isFinite }) {
            return .notFinite(shards: nonFinite)
        }
        if let odd = votes.map(\.total).minority {
            return .totalsDiffer(odd.map { members.peers[$0] })
        }
        return .agreed
    }

    private static func nonFiniteShards(_ votes: [Vote]) -> [Int] {
        let gradients = votes.flatMap { $0.nonFiniteShards.map(Int.init) }
        let losses = votes.flatMap { $0.reports.filter { !$0.isFinite }.map(\.shard) }
        return Set(gradients + losses).sorted()
    }
}

extension Vote {
    /// Whether it speaks of these shards and no others.
    func fits(_ shards: Range<Int>) -> Bool {
        reports.map(\.shard) == Array(shards)
            && nonFiniteShards.allSatisfy { shards.contains(Int($0)) }
    }
}

extension [FastDigest] {
    /// Indices of the digests outside the largest group of equals; all of them when groups tie, nil
    /// when all are equal.
    var minority: [Int]? {
        guard Set(self).count > 1 else { return nil }
        let counts = map { digest in count { $0 == digest } }
        let most = counts.max()!
        let leaders = Set(indices.filter { counts[$0] == most }.map { self[$0] })
        return leaders.count > 1 ? [Int](indices) : indices.filter { counts[$0] < most }
    }
}

extension CommittedStep {
    /// The step that these votes agree on.
    init(
        _ votes: [Vote], _ step: Int, _ generation: Generation, skipped: Bool, seconds: Double
    ) {
        self.init(
            generation: generation, step: step, total: votes[0].total, state: votes[0].state,
            reports: votes.flatMap(\.reports).sorted { $0.shard < $1.shard },
            gradientNorm: votes[0].squaredNorm.squareRoot(),
            layerNorms: votes[0].layerNorms, skipped: skipped,
            timing: StepTiming(votes, step: seconds), workers: votes.count)
    }

    /// Its line in the ledger. Losses are added in shard order, whoever computed them.
    package var line: CommittedLine {
        let labels = Double(max(1, reports.reduce(0) { $0 + $1.labels }))
        return CommittedLine(
            generation: generation, step: step, total: total, state: state,
            loss: reports.reduce(0) { $0 + $1.smoothed } / labels, skipped: skipped)
    }
}

extension StepTiming {
    /// The members' times, averaged.
    fileprivate init(_ votes: [Vote], step: Double) {
        let count = Double(votes.count)
        self.init(
            step: step,
            compute: votes.reduce(0) { $0 + $1.computeSeconds } / count,
            fold: votes.reduce(0) { $0 + $1.foldSeconds } / count,
            wait: votes.reduce(0) { $0 + $1.waitSeconds } / count)
    }
}
