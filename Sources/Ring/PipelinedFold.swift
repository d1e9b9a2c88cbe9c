/// The ordered fold (or the textbook ring) as a pipeline: what a chunk costs at every station.
///
/// Chunks go from worker to worker, each adds its shards (`add`), the link takes `link` seconds of
/// its time and `latency` until it is there; from the last on, totals go around, `store` each.
package struct PipelinedFold: Sendable {
    /// Number of workers in the ring.
    package var workers: Int
    /// Number of chunks of the vector.
    package var chunks: Int
    /// Seconds of a worker's processor for one chunk.
    package var add: Double
    /// Seconds of a worker's processor for taking one chunk of the total.
    package var store: Double
    /// Seconds that a chunk occupies the slowest link; all other links are as slow or faster.
    package var link: Double
    /// Seconds from a chunk's leaving one worker until it is at the next, on any link.
    package var latency: Double
    /// Seconds that slow links take beyond that until a chunk is there.
    package var slowLatency: Double
    /// Links that are slower than the rest, such as those between hosts; the others take no time.
    package var slowLinks: Int
    /// Seconds, from the end of the backward pass (mostly negative), at which chunk j (counted from
    /// the vector's end) is final on a worker.
    package var ready: [Double]
    /// Chunks that a link may have under way in each direction of the sum.
    package var credits: Int

    /// Makes a pipeline of its parts; `ready` has one entry a chunk.
    package init(
        workers: Int, chunks: Int, add: Double, store: Double, link: Double, latency: Double,
        slowLinks: Int, ready: [Double], slowLatency: Double = 0, credits: Int = 16
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
        self.slowLatency = slowLatency
        self.credits = credits
    }

    /// Seconds a chunk of the slowest station, where partials alone or totals alone pass.
    private var oneWay: Double { workers == 1 ? add : max(add, store, usedLink) }

    /// The same where both pass: all but the last worker add and store, and the links between carry
    /// both. The one to the last worker has partials alone, its own totals alone.
    private var bothWays: Double {
        guard workers > 1 else { return add }
        let carriesBoth = slowLinks(before: workers - 2) > 0
        return max(add + store, carriesBoth ? 2 * usedLink : usedLink)
    }

    private var usedLink: Double { slowLinks > 0 ? link : 0 }

    /// Seconds in which a chunk goes and its credit comes back: `credits` chunks may leave in them.
    /// Partials and totals have credits of their own.
    private var window: Double {
        let way = latency + (slowLinks > 0 ? slowLatency : 0)
        return usedLink + 2 * way + max(add, store)
    }

    /// Slow links among those that leave the first workers; they are spread evenly.
    func slowLinks(before worker: Int) -> Int { worker * slowLinks / workers }

    /// Seconds over so many links, some of them slow, for a chunk that nobody delays.
    private func path(_ hops: Int, slow: Int, work: Double) -> Double {
        Double(hops) * (work + latency) + Double(slow) * (link + slowLatency)
    }

    /// Seconds from the end of the backward pass of a worker that is on time to the end of the
    /// fold.
    ///
    ///     R(τ) = max over chunks j of
    ///         ready(j) + max((chunks − j)·τ, ⌊(chunks − j − 1) / credits⌋·window)
    ///     T = max(R(one way) + there + around, R(both ways) + max(there, around))
    ///
    /// `there` is the longest way to the last worker, with `late`, by how much each worker is
    /// behind (all are on time if none is given); `around` the way of a total. Long rings send all
    /// partials before totals come back, short ones mix them.
    package func seconds(late: [Double] = []) -> Double {
        guard workers > 1 else { return released(add) + (late.first ?? 0) }
        let last = workers - 1
        let around = path(
            last, slow: slowLinks - slowLinks(before: last) + slowLinks(before: last - 1),
            work: store)
        let there = (0..<workers).map { worker in
            let slow = slowLinks(before: last) - slowLinks(before: worker)
            return (late.isEmpty ? 0 : late[worker]) + path(last - worker, slow: slow, work: add)
        }.max()!
        return max(released(oneWay) + there + around, released(bothWays) + max(there, around))
    }

    private func released(_ rate: Double) -> Double {
        ready.enumerated().map { chunk, ready in
            let left = Double(chunks - chunk)
            let held = workers > 1 ? Double((chunks - chunk - 1) / credits) * window : 0
            return ready + max(left * rate, held)
        }.max()!
    }

    /// The textbook ring: 2(W−1) rounds of a W-th of the vector. Its last segments wait for the end
    /// of the backward pass, so that all of it shows.
    package func ringSeconds() -> Double {
        guard workers > 1 else { return add * Double(chunks) }
        let share = Double(chunks) / Double(workers)
        let rounds = Double(workers - 1)
        return [add, store].reduce(0) { seconds, work in
            seconds
                + rounds
                * max(hop + share * max(work, usedLink), share / Double(credits) * window)
        }
    }

    /// Seconds from one worker to the next, slow links and others taken together.
    private var hop: Double { latency + slowLatency * Double(slowLinks) / Double(workers) }

    // MARK: What limits

    /// Seconds that the length of the ring costs: there and around, at links of any bandwidth.
    package var length: Double { 2 * Double(workers - 1) * (hop + add) }

    /// Whether links, or credits that come back over them, hold chunks up more than adding does.
    package var isHeldByLinks: Bool {
        slowLinks > 0 && max(bothWays, window / Double(credits)) > add + store
    }
}
