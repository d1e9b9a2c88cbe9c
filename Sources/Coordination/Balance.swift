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
