import Wire

/// A new token on its way to the peers; once they have it, nobody else is let in.
struct Rotation: Sendable {
    private let token: String
    /// They have not said yet that they keep it.
    private var pending: Set<PeerID> = []
    /// Peers that keep it.
    private(set) var given = 0
    private let deadline: Instant

    init(token: String, deadline: Instant) {
        self.token = token
        self.deadline = deadline
    }

    var isDone: Bool { pending.isEmpty }

    /// Returns the message for one who is to have the token.
    mutating func give(to id: PeerID) -> CoordinatorMessage {
        pending.insert(id)
        return .token(token)
    }

    /// A peer keeps the token; false if it was not asked to.
    mutating func taken(by id: PeerID) -> Bool {
        guard pending.remove(id) != nil else { return false }
        given += 1
        return true
    }

    /// Waits no longer for those who are gone, and after its time for nobody.
    ///
    /// - Returns: those who have not answered in time.
    mutating func overdue(among peers: Peers, at now: Instant) -> [PeerID] {
        pending = pending.filter { peers[$0] != nil }
        guard deadline < now else { return [] }
        defer { pending = [] }
        return pending.sorted()
    }
}
