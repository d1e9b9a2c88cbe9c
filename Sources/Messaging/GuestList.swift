import Synchronization

/// Whose keys a listening socket lets in; the only way past a `Gate`.
package final class GuestList: Sendable {
    /// Somebody whom the gate has turned away.
    package struct Stranger: Hashable, Sendable {
        /// Numeric address; empty over ipc.
        package var address: String
        package var key: PublicKey

        package init(address: String, key: PublicKey) {
            self.address = address
            self.key = key
        }
    }

    private struct State {
        var guests: Set<PublicKey> = []
        var strangers: [Stranger] = []
    }

    /// How long a key that is not on the list waits for being put there before it is refused.
    let patience: Duration
    private let state = Mutex(State())
    private let changed = Mutex<(@Sendable () -> Void)?>(nil)

    /// Strangers that are remembered until somebody asks for them.
    private static let memory = 64

    package init(patience: Duration = .zero) { self.patience = patience }

    package func replace(with guests: Set<PublicKey>) {
        state.withLock { $0.guests = guests }
        changed.withLock { $0 }?()
    }

    package func insert(_ guest: PublicKey) {
        state.withLock { _ = $0.guests.insert(guest) }
        changed.withLock { $0 }?()
    }

    package func remove(_ guest: PublicKey) {
        state.withLock { _ = $0.guests.remove(guest) }
    }

    package func contains(_ guest: PublicKey) -> Bool {
        state.withLock { $0.guests.contains(guest) }
    }

    /// Who has been turned away since the last call, at most 64 of them.
    package func takeStrangers() -> [Stranger] {
        state.withLock { state in
            defer { state.strangers = [] }
            return state.strangers
        }
    }

    func refused(_ stranger: Stranger) {
        state.withLock { state in
            guard state.strangers.count < Self.memory else { return }
            state.strangers.append(stranger)
        }
    }

    /// Calls `action` whenever somebody is put on the list.
    func whenChanged(_ action: (@Sendable () -> Void)?) { changed.withLock { $0 = action } }
}
