import Wire

/// Cuts a step's shards among the members of a ring, and watches whether another cut is worth while.
struct ShardCut: Sendable {
    private let shards: Int
    /// By measured speed; if not, everybody has as many.
    private let isBySpeed: Bool
    private var watch = CutWatch()

    init(_ policy: CoordinatorPolicy) {
        shards = policy.shards
        isBySpeed = policy.ring.balance
    }

    /// Returns the first shard of each of these workers, and the end.
    ///
    /// A worker that has not been measured counts as the mean of those that have.
    func bounds(for chosen: [Peer]) -> [Int] {
        let usual = Balance.equal(shards: shards, members: chosen.count)
        let known = chosen.compactMap(\.pace.secondsPerShard)
        guard isBySpeed, !known.isEmpty else { return usual }
        let mean = known.reduce(0, +) / Double(known.count)
        let members = chosen.map {
            Balance.Member(
                threads: $0.hello.threads, secondsPerShard: $0.pace.secondsPerShard ?? mean)
        }
        return preferred(members, over: usual)
    }

    /// The best cut, unless it is hardly better than `usual`.
    private func preferred(_ members: [Balance.Member], over usual: [Int]) -> [Int] {
        let best = Balance.bounds(shards: shards, members: members)
        let gain = Balance.seconds(best, members) / Balance.seconds(usual, members)
        return gain < Balance.worthwhile ? best : usual
    }

    /// A ring of these is formed.
    mutating func formed(_ ring: [Peer], at step: Int) {
        watch.formed(Set(ring.map(\.id)), at: step)
    }

    /// Looks whether another cut has promised enough for long enough.
    ///
    /// - Returns: what to say of it.
    mutating func better(
        than bounds: [Int], _ peers: [Peer], at committed: Int
    ) -> CoordinatorNote? {
        guard isBySpeed, peers.count > 1, watch.isDue(at: committed) else { return nil }
        // The members' own speeds, once all of them are known.
        let speeds = peers.compactMap { peer in
            peer.pace.secondsPerShard.map {
                Balance.Member(threads: peer.hello.threads, secondsPerShard: $0)
            }
        }
        guard speeds.count == bounds.count - 1 else { return nil }
        let best = preferred(speeds, over: Balance.equal(shards: shards, members: speeds.count))
        guard watch.look(at: committed, current: bounds, best: best, speeds: speeds) else {
            return nil
        }
        let before = Balance.seconds(bounds, speeds)
        let after = Balance.seconds(best, speeds)
        return .balancing(
            step: committed + 1, peers.compactMap(shardTime),
            before: Int64((1000 * before).rounded()), after: Int64((1000 * after).rounded()))
    }

    private func shardTime(of peer: Peer) -> ShardTime? {
        peer.pace.secondsPerShard.map {
            ShardTime(
                name: peer.name, threads: peer.hello.threads,
                milliseconds: Int64((1000 * $0).rounded()))
        }
    }
}

/// How long a worker takes for a shard on one thread.
package struct ShardTime: Hashable, Codable, Sendable {
    /// The worker's name, as `w3`.
    package var name: String
    /// Number of its lanes.
    package var threads: Int
    /// Median time of a shard on one lane, in milliseconds.
    package var milliseconds: Int64
}
