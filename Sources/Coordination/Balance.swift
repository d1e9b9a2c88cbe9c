/// The time that a worker takes for a shard, from its last steps.
struct ShardSpeed: Sendable {
    /// Steps that are remembered; their median is not moved by one that the system disturbed.
    static let window = 8

    private var seconds: [Double] = []

    /// One step's computing, of `shards` shards on `threads` threads: each takes one at a time.
    mutating func add(_ compute: Double, shards: Int, threads: Int) {
        guard compute > 0, compute.isFinite, shards > 0 else { return }
        seconds.append(compute / Double(Balance.rounds(shards, threads: threads)))
        if seconds.count > Self.window { seconds.removeFirst() }
    }

    /// Median time of a shard on one lane, in seconds; nil until enough steps are known.
    var secondsPerShard: Double? {
        guard seconds.count == Self.window else { return nil }
        return seconds.sorted()[Self.window / 2]
    }
}

/// Cuts a step's shards among workers so that the slowest is done as early as can be.
///
/// Shards stay in order and are folded in order: who computes them changes no bit.
package enum Balance {
    /// A worker as it is planned with; `secondsPerShard` on one of its threads.
    package struct Member: Hashable, Sendable {
        /// Number of shards that it computes at once, one a lane.
        package var threads: Int
        /// Median time of a shard on one lane, in seconds.
        package var secondsPerShard: Double

        /// Makes a member of its parts.
        package init(threads: Int, secondsPerShard: Double) {
            self.threads = threads
            self.secondsPerShard = secondsPerShard
        }

        /// Seconds that `shards` shards take.
        package func seconds(_ shards: Int) -> Double {
            Double(rounds(shards, threads: threads)) * secondsPerShard
        }
    }

    /// A cut must promise to save a tenth of a step, or the ring is not formed anew for it.
    package static let worthwhile = 0.9

    /// Shards one after another on the busiest of the threads.
    static func rounds(_ shards: Int, threads: Int) -> Int {
        let threads = max(1, threads)
        return (shards + threads - 1) / threads
    }

    /// Returns the first shard of every member, and the end: as many shards for each.
    package static func equal(shards: Int, members: Int) -> [Int] {
        (0...members).map { $0 * shards / members }
    }

    /// Returns the first shard of every member, and the end; everyone has at least one.
    ///
    /// Each shard goes to the one who would be done with it first, which makes the longest time of
    /// all as short as possible since shards are alike.
    package static func bounds(shards: Int, members: [Member]) -> [Int] {
        precondition(!members.isEmpty && members.count <= shards)
        var counts = members.map { _ in 1 }
        for _ in members.count..<shards {
            let next = members.indices.min {
                members[$0].seconds(counts[$0] + 1) < members[$1].seconds(counts[$1] + 1)
            }
            counts[next!] += 1
        }
        return counts.reduce(into: [0]) { $0.append($0.last! + $1) }
    }

    /// Seconds until the last member has computed its shards.
    package static func seconds(_ bounds: [Int], _ members: [Member]) -> Double {
        members.indices.map { members[$0].seconds(bounds[$0 + 1] - bounds[$0]) }.max() ?? 0
    }
}

extension Coordinator {
    /// Returns the first shard of each of these workers, and the end: by measured speed if it is
    /// known.
    ///
    /// A worker that has not been measured counts as the mean of those that have.
    func bounds(for chosen: [Peer]) -> [Int] {
        let known = chosen.compactMap(\.speed.secondsPerShard)
        guard policy.ring.balance, !known.isEmpty else {
            return Balance.equal(shards: policy.shards, members: chosen.count)
        }
        let mean = known.reduce(0, +) / Double(known.count)
        let members = chosen.map {
            Balance.Member(
                threads: $0.hello.threads, secondsPerShard: $0.speed.secondsPerShard ?? mean)
        }
        return preferred(members, over: Balance.equal(shards: policy.shards, members: chosen.count))
    }

    /// The best cut, unless it is hardly better than `usual`.
    private func preferred(_ members: [Balance.Member], over usual: [Int]) -> [Int] {
        let best = Balance.bounds(shards: policy.shards, members: members)
        let gain = Balance.seconds(best, members) / Balance.seconds(usual, members)
        return gain < Balance.worthwhile ? best : usual
    }

    /// The members' own speeds; nil until all of them are known.
    private var memberSpeeds: [Balance.Member]? {
        guard policy.ring.balance, let members, members.peers.count > 1 else { return nil }
        let known = members.peers.compactMap { id in
            peers[id].flatMap { peer in
                peer.speed.secondsPerShard.map {
                    Balance.Member(threads: peer.hello.threads, secondsPerShard: $0)
                }
            }
        }
        return known.count == members.peers.count ? known : nil
    }

    /// Forms the ring anew with shards cut by speed, if that has promised enough for long enough.
    ///
    /// - Returns: whether it does.
    mutating func rebalances(at now: Instant) -> Bool {
        guard cutWatch.isDue(at: committed), let members, let speeds = memberSpeeds else {
            return false
        }
        let best = preferred(
            speeds, over: Balance.equal(shards: policy.shards, members: speeds.count))
        guard
            cutWatch.look(
                at: committed, current: members.bounds, best: best, speeds: speeds)
        else { return false }
        let before = Balance.seconds(members.bounds, speeds)
        let after = Balance.seconds(best, speeds)
        ringWatch.wait(at: committed)
        note(
            .balancing(
                step: committed + 1, members.peers.compactMap(shardTime),
                before: Int64((1000 * before).rounded()), after: Int64((1000 * after).rounded())))
        assemble(at: now)
        return true
    }

    private func shardTime(of id: PeerID) -> ShardTime? {
        guard let peer = peers[id], let seconds = peer.speed.secondsPerShard else { return nil }
        return ShardTime(
            name: peer.name, threads: peer.hello.threads,
            milliseconds: Int64((1000 * seconds).rounded()))
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
