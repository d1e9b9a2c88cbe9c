import Wire

/// Links between workers that are both heard but do not reach each other.
extension Coordinator {
    /// Takes note of the neighbours that `id` did not find, unless either has fallen silent itself.
    mutating func noteBadLinks(of id: PeerID, _ missing: [Peer], at now: Instant) {
        guard let one = peers[id], isFresh(one, at: now) else { return }
        for other in missing
        where isFresh(other, at: now) && badLinks.end(one, other, at: now) == nil {
            badLinks.add(one, other, policy.deadlines.badLink, at: now)
        }
    }

    /// Those beside a member in the ring.
    func neighbours(of id: PeerID, _ sides: RingSides) -> [Peer] {
        guard let members, let rank = members.peers.firstIndex(of: id) else { return [] }
        let count = members.peers.count
        var places: [Int] = []
        if sides.contains(.predecessor) { places.append((rank + count - 1) % count) }
        if sides.contains(.successor) { places.append((rank + 1) % count) }
        // Of two members each is both to the other.
        if count == 2 { places = Array(places.prefix(1)) }
        return places.compactMap { peers[members.peers[$0]] }
    }

    private func isFresh(_ peer: Peer, at now: Instant) -> Bool {
        now <= peer.lastHeard + Milliseconds(policy.deadlines.heartbeat.count * 5 / 2)
    }

    // MARK: relays

    /// Whether ring frames between two go through the coordinator: one of them cannot be connected
    /// to from elsewhere.
    func isRelayed(_ one: Peer, _ other: Peer) -> Bool {
        [one, other].contains { $0.isBehindRelay }
    }

    /// Returns the address at which a member finds its successor.
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

/// A worker as people know it.
package struct NamedWorker: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The name that the coordinator gave it, as `w3`.
    package var name: String
    /// The name of its host, as the worker said it.
    package var host: String

    /// Name and host, as `w3@host`.
    package var description: String { "\(name)@\(host)" }
}

extension Peer {
    var named: NamedWorker { NamedWorker(name: name, host: hello.address.hostName) }

    /// It can only connect outwards.
    var isBehindRelay: Bool { RelayAddress.isEndpoint(hello.address.tcp) }
}

extension Deadlines {
    /// Time in which two workers that did not find each other are not made neighbours again, at
    /// first.
    var badLink: Milliseconds { Milliseconds(4 * peerTimeout.count) }
}
