import Wire

/// The actions that answer one event, in the order in which they are to be carried out.
struct Outbox: Sendable {
    private var actions: [CoordinatorAction] = []

    mutating func add(_ action: CoordinatorAction) { actions.append(action) }

    mutating func note(_ note: CoordinatorNote) { actions.append(.note(note)) }

    mutating func send(_ message: CoordinatorMessage, to peer: PeerID) {
        actions.append(.send(peer, message))
    }

    /// Adds spans for observers. Behind the run's end nothing is carried out.
    mutating func tell(_ spans: [PhaseSpan]) {
        let end = actions.firstIndex { if case .finish = $0 { true } else { false } }
        actions.insert(.phases(spans), at: end ?? actions.endIndex)
    }

    /// Hands the actions over and forgets them.
    mutating func empty() -> [CoordinatorAction] {
        defer { actions = [] }
        return actions
    }
}
