/// The ordered fold (or the textbook ring) as a pipeline: what a chunk costs at every station.
///
/// Chunks go from worker to worker, each adds its shards (`add`), the link takes `link` seconds of
/// its time and `latency` until it is there; from the last on, totals go around, `store` each.
package struct PipelinedFold: Sendable {
    package var workers: Int
    package var chunks: Int
    /// Seconds of a worker's processor for one chunk.
    package var add: Double
    package var store: Double
    /// Seconds that a chunk occupies the slowest link; all other links are as slow or faster.
    package var link: Double
    package var latency: Double
    /// Links that are slower than the rest, such as those between hosts; the others take no time.
    package var slowLinks: Int
    /// Seconds, from the end of the backward pass (mostly negative), at which chunk j (counted from
    /// the vector's end) is final on a worker.
    package var ready: [Double]
    /// Chunks that a link may have under way in each direction of the sum.
    package var credits: Int

    package init(
        workers: Int, chunks: Int, add: Double, store: Double, link: Double, latency: Double,
        slowLinks: Int, ready: [Double], credits: Int = 16
    ) {
        precondition(workers > 0 && chunks > 0 && ready.count == chunks)
        self.workers = workers
        self.chunks = chunks
        self.add = add
        self.store = store
        self.link = link
        self.latency = latency
        self.slowLinks = slowLinks
        self.ready = ready
        self.credits = credits
    }

    /// Seconds a chunk of the slowest station, where partials alone or totals alone pass.
    private var oneWay: Double { workers == 1 ? add : max(add, store, usedLink) }

    /// The same where both pass: all but the last worker add and store, and with three workers or
    /// more the links between carry both.
    package var bothWays: Double {
        workers == 1 ? add : max(add + store, workers == 2 ? usedLink : 2 * usedLink)
    }

    private var usedLink: Double { slowLinks > 0 ? link : 0 }

    /// Seconds from one end of the ring to the other for a chunk that nobody delays.
    private func path(_ hops: Int, work: Double) -> Double {
        let slow = workers <= 1 ? 0 : Double(hops * slowLinks) / Double(workers)
        return Double(hops) * (work + latency) + slow * link
    }

    /// Seconds from the end of the backward pass of a worker that is on time to the end of the fold.
    ///
    ///     R(τ) = max over chunks j of ready(j) + (chunks − j)·τ
    ///     T = max(R(one way) + there + around, R(both ways) + max(there, around))
    ///
    /// `there` is the longest way to the last worker, with `late`, by how much each worker is behind
    /// (all are on time if none is given); `around` the way of a total. Long rings send all partials
    /// before totals come back, short ones mix them.
    package func seconds(late: [Double] = []) -> Double {
        guard workers > 1 else { return released(add) + (late.first ?? 0) }
        let around = path(workers - 1, work: store)
        let there = (0..<workers).map { worker in
            (late.isEmpty ? 0 : late[worker]) + path(workers - 1 - worker, work: add)
        }.max()!
        return max(released(oneWay) + there + around, released(bothWays) + max(there, around))
    }

    private func released(_ rate: Double) -> Double {
        ready.enumerated().map { $1 + Double(chunks - $0) * rate }.max()!
    }

    /// The textbook ring: 2(W−1) rounds of a W-th of the vector. Its last segments wait for the end
    /// of the backward pass, so that all of it shows.
    package func ringSeconds() -> Double {
        guard workers > 1 else { return add * Double(chunks) }
        let share = Double(chunks) / Double(workers)
        let rounds = Double(workers - 1)
        return rounds * (latency + share * max(add, usedLink))
            + rounds * (latency + share * max(store, usedLink))
    }
}
