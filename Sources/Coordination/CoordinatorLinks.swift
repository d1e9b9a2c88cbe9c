import Wire

/// Links between workers that are both heard but do not reach each other.
extension Coordinator {
    /// Takes note of the neighbours that `id` did not find, unless either has fallen silent itself.
    mutating func noteBadLinks(of id: PeerID, _ missing: RingSides, at now: Instant) {
        guard let members, let rank = members.peers.firstIndex(of: id), isFresh(id, at: now) else {
            return
        }
        let count = members.peers.count
        for (side, step) in [(RingSides.predecessor, count - 1), (.successor, 1)]
        where missing.contains(side) {
            let other = members.peers[(rank + step) % count]
            guard isFresh(other, at: now), let one = peers[id], let two = peers[other] else {
                continue
            }
            guard badLinks.end(one, two, at: now) == nil else { continue }
            badLinks.add(one, two, policy.deadlines.badLink, at: now)
        }
    }

    private func isFresh(_ id: PeerID, at now: Instant) -> Bool {
        let limit = Milliseconds(policy.deadlines.heartbeat.count * 5 / 2)
        return peers[id].map { now <= $0.lastHeard + limit } ?? false
    }

    // MARK: relays

    /// Whether ring frames between two go through the coordinator: one of them cannot be connected
    /// to from elsewhere.
    func isRelayed(_ one: Peer, _ other: Peer) -> Bool {
        [one, other].contains { $0.isBehindRelay }
    }

    /// Where a member finds its successor.
    func place(of successor: Peer, for peer: Peer) -> PeerAddress {
        var address = successor.hello.address
        if isRelayed(peer, successor) {
            address.tcp = RelayAddress.endpoint(ofInstance: successor.hello.instance)
        }
        return address
    }

    // MARK: rings

    /// A ring of those who are to fold, without links that are known to be bad.
    mutating func linked(_ chosen: [Peer], at now: Instant) -> [Peer] {
        let (ring, leftOut) = badLinks.ring(of: chosen, at: now)
        for pair in leftOut {
            probations.add(pair.peer.hello.instance, until: pair.end, at: now)
            note(
                .leftOut(
                    name: pair.peer.name, host: pair.peer.hello.address.hostName,
                    other: pair.other.name, otherHost: pair.other.hello.address.hostName))
        }
        if leftOut.isEmpty, ring.map(\.id) != chosen.map(\.id) { noteAvoided(chosen, at: now) }
        return ring
    }

    private mutating func noteAvoided(_ chosen: [Peer], at now: Instant) {
        for (index, one) in chosen.enumerated() {
            let other = chosen[(index + 1) % chosen.count]
            guard badLinks.end(one, other, at: now) != nil else { continue }
            note(
                .linkAvoided(
                    name: one.name, host: one.hello.address.hostName, other: other.name,
                    otherHost: other.hello.address.hostName))
        }
    }
}

extension Peer {
    /// It can only connect outwards.
    var isBehindRelay: Bool { RelayAddress.isEndpoint(hello.address.tcp) }
}

extension Deadlines {
    /// Time in which two workers that did not find each other are not made neighbours again, at
    /// first.
    var badLink: Milliseconds { Milliseconds(4 * peerTimeout.count) }
}
