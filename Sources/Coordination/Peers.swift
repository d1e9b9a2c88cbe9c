import Wire

/// All workers that have been welcomed and are not lost.
struct Peers: Sendable {
    /// Peers that are welcomed at most, spares included.
    static let limit = WireLimit.members

    private var known: [PeerID: Peer] = [:]
    private var welcomed = 0

    subscript(id: PeerID) -> Peer? {
        get { known[id] }
        set { known[id] = newValue }
    }

    var count: Int { known.count }

    /// Peers in the order in which they were welcomed.
    var inOrder: [Peer] { known.values.sorted { $0.number < $1.number } }

    mutating func welcome(_ id: PeerID, _ hello: Hello, at now: Instant) -> Peer {
        welcomed += 1
        let peer = Peer(id: id, number: welcomed, hello: hello, presence: Presence(at: now))
        known[id] = peer
        return peer
    }

    func contains(where test: (Peer) -> Bool) -> Bool { known.values.contains(where: test) }

    func count(where test: (Peer) -> Bool) -> Int { known.values.count(where: test) }

    func names(of ids: some Sequence<PeerID>) -> [String] {
        ids.compactMap { known[$0] }.sorted { $0.number < $1.number }.map(\.name)
    }

    /// The processes behind some peers.
    func instances(_ ids: [PeerID]) -> Set<UInt64> {
        Set(ids.compactMap { known[$0]?.hello.instance })
    }

    /// Nobody is judged by the silence before this moment.
    mutating func excuse(at now: Instant) {
        for id in known.keys { known[id]?.presence.excuse(at: now) }
    }
}
