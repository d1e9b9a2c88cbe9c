import Wire

/// The members of the ring at hand.
struct Members: Hashable, Sendable {
    let generation: Generation
    /// The members, in rank order.
    let peers: [PeerID]
    /// The first shard of each, and the end.
    let bounds: [Int]

    func shards(of peer: PeerID) -> Range<Int>? {
        peers.firstIndex(of: peer).map { bounds[$0]..<bounds[$0 + 1] }
    }

    /// Each member with its shards, in rank order.
    var shares: [(peer: PeerID, shards: Range<Int>)] {
        peers.enumerated().map { ($1, bounds[$0]..<bounds[$0 + 1]) }
    }

    func contains(_ peer: PeerID) -> Bool { peers.contains(peer) }

    func predecessor(of peer: PeerID) -> PeerID? {
        peers.firstIndex(of: peer).map { peers[($0 + peers.count - 1) % peers.count] }
    }

    func successor(of peer: PeerID) -> PeerID? {
        peers.firstIndex(of: peer).map { peers[($0 + 1) % peers.count] }
    }

    /// Those beside a member in the ring.
    func neighbours(of peer: PeerID, _ sides: RingSides) -> [PeerID] {
        var found: [PeerID] = []
        if sides.contains(.predecessor), let one = predecessor(of: peer) { found.append(one) }
        if sides.contains(.successor), let one = successor(of: peer) { found.append(one) }
        // Of two members each is both to the other.
        return peers.count == 2 ? Array(found.prefix(1)) : found
    }
}
