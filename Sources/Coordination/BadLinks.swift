/// Hosts that did not find each other when a ring was formed, though both were heard, and how long
/// no ring makes them neighbours again.
///
/// Every time takes twice as long as the one before.
struct BadLinks: Sendable {
    /// Two ends of a link in either direction: a connection needs both.
    private struct Pair: Hashable {
        let ends: Set<String>
    }

    private struct Entry {
        var times = 0
        var end = Instant(nanoseconds: 0)
    }

    /// Pairs that are remembered at most.
    static let limit = 1024

    private var entries: [Pair: Entry] = [:]

    private static func pair(_ one: Peer, _ other: Peer) -> Pair {
        let hosts: Set = [one.hello.address.hostKey, other.hello.address.hostKey]
        if hosts.count == 2 { return Pair(ends: hosts) }
        // Of one host: it is these two processes.
        return Pair(ends: ["\(one.hello.instance)", "\(other.hello.instance)"])
    }

    /// `span`: the length of the first time.
    ///
    /// - Returns: when they may be neighbours again.
    @discardableResult
    mutating func add(
        _ one: Peer, _ other: Peer, _ span: Milliseconds, at now: Instant
    ) -> Instant {
        if entries.count >= Self.limit { entries = entries.filter { now < $0.value.end } }
        let pair = Self.pair(one, other)
        var entry = entries[pair, default: Entry()]
        // Both ends tell of it.
        guard entry.end <= now, entries.count < Self.limit else { return entry.end }
        entry.end = now + Milliseconds(span.count << Int64(min(entry.times, 10)))
        entry.times += 1
        entries[pair] = entry
        return entry.end
    }

    /// Returns the moment from which two may be neighbours again; nil if they may now.
    func end(_ one: Peer, _ other: Peer, at now: Instant) -> Instant? {
        guard !entries.isEmpty, let entry = entries[Self.pair(one, other)] else { return nil }
        return now < entry.end ? entry.end : nil
    }

    // MARK: rings

    /// One whom no ring of all has room for, because its links to all possible neighbours are bad.
    struct LeftOut: Sendable {
        let peer: Peer
        /// The neighbour to which its link is bad, and the moment until which it counts as bad.
        let other: Peer
        let end: Instant
    }

    /// A ring of `peers`, of which those of one host stand side by side, without a bad link.
    ///
    /// Where there is none, the peer with the most bad links is left out, of equals the last. The
    /// order stays as it is as far as it can.
    func ring(of peers: [Peer], at now: Instant) -> (ring: [Peer], leftOut: [LeftOut]) {
        var ring = peers
        var leftOut: [LeftOut] = []
        while !entries.isEmpty, ring.count > 1 {
            var groups = ring.hosts
            if mend(&groups, at: now) { return (groups.flatMap { $0 }, leftOut) }
            guard let worst = worst(of: ring, at: now) else { break }
            leftOut.append(worst)
            ring.removeAll { $0.id == worst.peer.id }
        }
        return (ring, leftOut)
    }

    /// Turns pieces of the ring around until no link is bad; false if that cannot be had this way.
    ///
    /// Turning a piece around changes just the two links at its ends: every turn mends one for
    /// good.
    private func mend(_ groups: inout [[Peer]], at now: Instant) -> Bool {
        for group in groups
        where (1..<group.count).contains(where: {
            isBad(group[$0 - 1], group[$0], at: now)
        }) { return false }
        let count = groups.count
        guard count > 1 else { return true }
        func fails(_ left: Int, _ right: Int) -> Bool {
            isBad(groups[left].last!, groups[right % count].first!, at: now)
        }
        while let bad = (0..<count).first(where: { fails($0, $0 + 1) }) {
            // The ring is turned so that the bad link is the one between the last and the first.
            let first = (bad + 1) % count
            groups = Array(groups[first...] + groups[..<first])
            let end = (1..<count).first { !fails(count - 1, $0 - 1) && !fails(0, $0) }
            guard let end else { return false }
            groups[0..<end].reverse()
        }
        return true
    }

    private func isBad(_ one: Peer, _ other: Peer, at now: Instant) -> Bool {
        end(one, other, at: now) != nil
    }

    private func worst(of peers: [Peer], at now: Instant) -> LeftOut? {
        var worst: (links: Int, leftOut: LeftOut)?
        for peer in peers {
            let bad = peers.compactMap { other in
                other.id == peer.id ? nil : end(peer, other, at: now).map { (other, $0) }
            }
            guard let first = bad.first, bad.count >= worst?.links ?? 0 else { continue }
            worst = (bad.count, LeftOut(peer: peer, other: first.0, end: first.1))
        }
        return worst?.leftOut
    }
}
