import Wire

/// Decides in which order peers stand in a ring: without links that are bad, and so that the slowest
/// link takes the least time.
struct Routing: Sendable {
    private var badLinks = BadLinks()
    private var rates = LinkRates()
    private var watch = RingWatch()
    /// Hosts in the order of the ring, where that goes by what their links carry.
    private var hostOrder: [String] = []

    // MARK: rings

    /// Returns these peers in the order in which they are to stand, and those whom no ring has room
    /// for; says why the order is another.
    mutating func route(
        _ chosen: [Peer], at now: Instant, _ outbox: inout Outbox
    ) -> (ring: [Peer], leftOut: [BadLinks.LeftOut]) {
        let wanted = fastest(chosen, &outbox)
        let (ring, leftOut) = badLinks.ring(of: wanted, at: now)
        for pair in leftOut {
            outbox.note(
                .leftOut(
                    name: pair.peer.name, host: pair.peer.hello.address.hostName,
                    other: pair.other.name, otherHost: pair.other.hello.address.hostName))
        }
        if leftOut.isEmpty, ring.map(\.id) != wanted.map(\.id) {
            noteAvoided(wanted, at: now, &outbox)
        }
        return (ring, leftOut)
    }

    private func noteAvoided(_ wanted: [Peer], at now: Instant, _ outbox: inout Outbox) {
        for (index, one) in wanted.enumerated() {
            let other = wanted[(index + 1) % wanted.count]
            guard badLinks.end(one, other, at: now) != nil else { continue }
            outbox.note(
                .linkAvoided(
                    name: one.name, host: one.hello.address.hostName, other: other.name,
                    otherHost: other.hello.address.hostName))
        }
    }

    /// The peers in the order of hosts that was found best; those of one host stay side by side.
    private mutating func fastest(_ chosen: [Peer], _ outbox: inout Outbox) -> [Peer] {
        var groups = chosen.hosts
        guard groups.count > 2 else { return chosen }
        let places = hostOrder
        func place(_ group: [Peer]) -> Int {
            places.firstIndex(of: group[0].hello.address.hostKey) ?? places.count
        }
        // Sorting keeps the order of those that have no place yet.
        groups = groups.enumerated().sorted {
            (place($0.element), $0.offset) < (place($1.element), $1.offset)
        }.map(\.element)
        if let better = rates.better(than: groups.map(\.host)) {
            let before = groups
            groups = better.map { host in before.first { $0.host.key == host.key }! }
            hostOrder = better.map(\.key)
            noteDetour(before, groups, &outbox)
        }
        return groups.flatMap { $0 }
    }

    private func noteDetour(_ before: [[Peer]], _ after: [[Peer]], _ outbox: inout Outbox) {
        guard let slow = rates.slowest(of: before.map(\.host)), let usual = rates.usual
        else { return }
        let (one, other) = (before[slow], before[(slow + 1) % before.count])
        outbox.note(
            .detour(
                host: one[0].hello.address.hostName, other: other[0].hello.address.hostName,
                rate: rates.rate(from: one.host.key, to: other.host.key) ?? usual, usual: usual,
                order: after.map { $0[0].hello.address.hostName }))
    }

    /// Returns the bytes of a chunk for a ring in this order; 0 leaves it to the workers, where no
    /// network is in between.
    func chunkBytes(_ ring: [Peer], vectorBytes: Int) -> Int {
        let hosts = ring.hosts.map { $0[0].hello.address.hostKey }
        guard hosts.count > 1 else { return 0 }
        return ChunkSize.bytes(
            vector: vectorBytes, workers: ring.count,
            underWay: rates.bytesUnderWay(onLinksOf: hosts))
    }

    // MARK: what is learned of links

    /// Two that are both heard have not found each other.
    mutating func missed(_ one: Peer, _ other: Peer, _ span: Milliseconds, at now: Instant) {
        guard badLinks.end(one, other, at: now) == nil else { return }
        badLinks.add(one, other, span, at: now)
    }

    /// Notes what the links between hosts have carried in a step, and how long all only waited for
    /// them.
    mutating func measured(_ votes: [Vote], _ ring: [Peer?], stepSeconds: Double) {
        for (rank, vote) in votes.enumerated() where vote.linkRate > 0 {
            guard let one = ring[rank], let other = ring[(rank + 1) % ring.count],
                !one.isRelayed(to: other)
            else { continue }
            rates.add(
                vote.linkRate, delay: vote.linkDelay, from: one.hello.address.hostKey,
                to: other.hello.address.hostKey)
        }
        // Whoever was the last to compute waited for nothing but links.
        watch.waited(votes.map(\.waitSeconds).min() ?? 0, of: stepSeconds)
    }

    // MARK: detours

    /// A ring of these is formed.
    mutating func formed(_ ring: [Peer], at step: Int) {
        watch.formed(Set(ring.map(\.id)), at: step)
    }

    /// The ring is formed anew though nothing is broken: the next time comes later.
    mutating func wait(at step: Int) { watch.wait(at: step) }

    /// Whether a ring in another order is worth forming.
    ///
    /// Its links must promise a tenth of a step, and more than what may be noise. The promise is the
    /// lesser of two: by what they carry, and by how long all have waited for them.
    func isDetourWorthwhile(_ peers: [Peer], vectorBytes: Int, at committed: Int) -> Bool {
        guard let (share, step) = watch.waiting, committed >= watch.step + watch.patience
        else { return false }
        let least = max((1 - Balance.worthwhile) * step, LinkRates.leastGain)
        // Nothing can be gained beyond what all have waited; the search takes long among many hosts.
        guard share * step > least else { return false }
        let ring = peers.hosts.map(\.host)
        guard let better = rates.better(than: ring), let after = rates.seconds(of: better),
            let before = rates.seconds(of: ring)
        else { return false }
        let moved = Double(vectorBytes) * (before - after)
        let gain = min(share * (1 - after / before) * step, moved)
        return gain > least
    }
}

extension [Peer] {
    /// Neighbours of one host together.
    var hosts: [[Peer]] {
        var groups: [[Peer]] = []
        for peer in self {
            if groups.last?.last?.hello.address.hostKey == peer.hello.address.hostKey {
                groups[groups.count - 1].append(peer)
            } else {
                groups.append([peer])
            }
        }
        return groups
    }

    fileprivate var host: LinkRates.Host {
        LinkRates.Host(key: self[0].hello.address.hostKey, workers: count)
    }
}
