import Wire

/// The rates that links between hosts have carried while they were busy. They give the order of
/// hosts in which the slowest link of a ring takes the least time.
///
/// Of a ring's links two carry the gradient once: the one to the last worker has no totals, the one
/// from it to the first no partial sums. All others carry it twice.
package struct LinkRates: Sendable {
    /// A host in a ring, and how many workers stand side by side on it.
    package struct Host: Hashable, Sendable {
        /// The host's identity: boot, network namespace and name.
        package let key: String
        /// Number of workers that stand side by side on it.
        package let workers: Int

        /// Makes a host of its parts.
        package init(key: String, workers: Int) {
            self.key = key
            self.workers = workers
        }
    }

    private struct Way: Hashable {
        let from: String
        let to: String
    }

    /// Ways that are remembered at most.
    static let limit = 4096
    /// Hosts that are put in order at most; of more a few slow links are found too seldom.
    static let hostLimit = 32
    /// A link is slow that carries less than this share of the usual: on busy hosts fast ones seem
    /// to differ by half.
    static let slow = 0.25
    /// Another order must take less than this share of the time.
    static let worthwhile = 0.6
    /// Seconds that another order must promise a step: the last bytes of a burst may be
    /// acknowledged 40 ms late, so that links on which a small model's gradient is one burst seem
    /// to differ by that.
    static let leastGain = 0.05
    /// Readings of a way that are remembered; their median is not moved by other traffic at times.
    static let window = 8

    private struct Readings {
        var rates: [Double] = []
        var delay = 0.0

        var rate: Double { rates.sorted()[rates.count / 2] }
    }

    private var readings: [Way: Readings] = [:]

    /// Knows no rate yet.
    package init() {}

    /// Adds a reading: `rate` in bytes a second, `delay` in seconds there and back.
    package mutating func add(
        _ rate: Double, delay: Double = 0, from: String, to: String
    ) {
        guard rate > 0, from != to else { return }
        let way = Way(from: from, to: to)
        guard readings.count < Self.limit || readings[way] != nil else { return }
        readings[way, default: Readings()].rates.append(rate)
        readings[way]?.delay = delay
        if readings[way]!.rates.count > Self.window { readings[way]?.rates.removeFirst() }
    }

    /// Returns the median of the readings, in bytes a second: this way's, or else the other way's.
    package func rate(from: String, to: String) -> Double? {
        (readings[Way(from: from, to: to)] ?? readings[Way(from: to, to: from)])?.rate
    }

    /// The median of all, which is what a link that has not been tried is taken for.
    package var usual: Double? {
        readings.isEmpty ? nil : readings.values.map(\.rate).sorted()[readings.count / 2]
    }

    /// Bandwidth × delay: bytes that the links from each of these hosts to the next hold at most,
    /// as far as that is known.
    package func bytesUnderWay(onLinksOf hosts: [String]) -> Double {
        zip(hosts, hosts.dropFirst() + hosts.prefix(1)).reduce(0) { most, link in
            let way = Way(from: link.0, to: link.1)
            return max(most, readings[way].map { $0.rate * $0.delay } ?? 0)
        }
    }

    // MARK: rings

    /// Seconds for a byte of the gradient on the link from each host to the next.
    private func seconds(onLinksOf ring: [Host], usual: Double) -> [Double] {
        ring.indices.map { index in
            let isLast = index == ring.count - 1
            let other = ring[isLast ? 0 : index + 1]
            let leadsToLast = index == ring.count - 2 && other.workers == 1
            return (isLast || leadsToLast ? 1 : 2)
                / (rate(from: ring[index].key, to: other.key) ?? usual)
        }
    }

    /// Seconds for a byte of the gradient on the slowest link; nil if no rate is known.
    package func seconds(of ring: [Host]) -> Double? {
        usual.flatMap { seconds(onLinksOf: ring, usual: $0).max() }
    }

    /// The host from which the slowest link of a ring leads to the next.
    func slowest(of ring: [Host]) -> Int? {
        guard let usual else { return nil }
        let seconds = seconds(onLinksOf: ring, usual: usual)
        return seconds.indices.max { seconds[$0] < seconds[$1] }
    }

    /// A ring whose slowest link takes less time, if one is found for which it is worth while.
    ///
    /// From `ring` on hosts and stretches are moved as long as that helps: the slowest link first,
    /// of rings that are alike in it the next.
    package func better(than ring: [Host]) -> [Host]? {
        guard let usual, ring.count > 2, ring.count <= Self.hostLimit else { return nil }
        let isHeldUp = zip(ring, ring.dropFirst() + ring.prefix(1)).contains { one, other in
            rate(from: one.key, to: other.key).map { $0 < Self.slow * usual } ?? false
        }
        guard isHeldUp else { return nil }
        let before = seconds(onLinksOf: ring, usual: usual).sorted(by: >)
        var best = (ring: ring, seconds: before)
        while true {
            var next = best
            for candidate in Self.neighbours(of: best.ring) {
                let seconds = seconds(onLinksOf: candidate, usual: usual).sorted(by: >)
                if seconds.lexicographicallyPrecedes(next.seconds) { next = (candidate, seconds) }
            }
            guard next.ring != best.ring else { break }
            best = next
        }
        return best.seconds[0] < Self.worthwhile * before[0] ? best.ring : nil
    }

    /// Rings that begin elsewhere, that have a stretch turned around, or a host in another place.
    private static func neighbours(of ring: [Host]) -> [[Host]] {
        var neighbours: [[Host]] = []
        for first in ring.indices {
            if first > 0 { neighbours.append(Array(ring[first...] + ring[..<first])) }
            for end in ring.indices where end != first {
                var moved = ring
                if end > first {
                    moved[first...end].reverse()
                    neighbours.append(moved)
                    moved = ring
                }
                moved.insert(moved.remove(at: first), at: end)
                neighbours.append(moved)
            }
        }
        return neighbours
    }
}
