/// A new token on its way to the peers.
struct Rotation: Hashable, Sendable {
    let token: String
    /// They have not said yet that they keep it.
    var pending: Set<PeerID>
    var given = 0
    let deadline: Instant
}

/// Giving everybody the new token, then letting nobody else in.
extension Coordinator {
    mutating func tokenChanged(_ token: String, at now: Instant) {
        rotation = Rotation(
            token: token, pending: [], deadline: now + policy.deadlines.peerTimeout)
        for peer in peersInOrder { giveToken(to: peer.id) }
        endRotation()
    }

    /// Also to those who join in between.
    mutating func giveToken(to id: PeerID) {
        guard let rotation else { return }
        self.rotation?.pending.insert(id)
        send(.token(rotation.token), to: id)
    }

    mutating func tokenTaken(by id: PeerID) {
        guard rotation?.pending.remove(id) != nil else { return }
        rotation?.given += 1
        endRotation()
    }

    /// Gives up those who do not answer.
    mutating func watchRotation(at now: Instant) {
        guard let rotation else { return }
        self.rotation?.pending.formIntersection(peers.keys)
        if rotation.deadline < now {
            for id in rotation.pending.sorted() { lost(id, .keptOldToken, at: now) }
            self.rotation?.pending = []
        }
        endRotation()
    }

    private mutating func endRotation() {
        guard let rotation, rotation.pending.isEmpty else { return }
        self.rotation = nil
        actions.append(.admitOnly(peersInOrder.map(\.id)))
        note(.tokenChanged(workers: rotation.given))
    }
}
