import Synchronization

/// The keys that a listening socket lets in; the only way past a `Gate`.
package final class GuestList: Sendable {
    /// Somebody whom the gate has turned away.
    package struct Stranger: Hashable, Sendable {
        /// Numeric address; empty over ipc.
        package var address: String
        /// The key that was shown and is not on the list.
        package var key: PublicKey

        /// Makes a stranger of its parts.
        package init(address: String, key: PublicKey) {
            self.address = address
            self.key = key
        }
    }

    private struct State {
        var guests: Set<PublicKey> = []
        var strangers: [Stranger] = []
    }

    /// Time for which a key that is not on the list waits to be put there, before it is refused.
    let patience: Duration
    private let state = Mutex(State())
    private let changed = Mutex<(@Sendable () -> Void)?>(nil)

    /// Strangers that are remembered until somebody asks for them.
    private static let memory = 64

    /// Makes an empty list, which lets nobody in.
    ///
    /// - Parameter patience: how long the gate keeps an unknown key waiting; zero refuses it at
    /// once.
    package init(patience: Duration = .zero) { self.patience = patience }

    /// Puts other keys in the place of all. Keys that wait at the gate are looked at again.
    package func replace(with guests: Set<PublicKey>) {
        state.withLock { $0.guests = guests }
        changed.withLock { $0 }?()
    }

    /// Adds a key, and lets it in if it waits at the gate.
    package func insert(_ guest: PublicKey) {
        state.withLock { _ = $0.guests.insert(guest) }
        changed.withLock { $0 }?()
    }

    /// Takes a key off; a connection that stands already stays.
    package func remove(_ guest: PublicKey) {
        state.withLock { _ = $0.guests.remove(guest) }
    }

    /// Whether a key is on the list.
    package func contains(_ guest: PublicKey) -> Bool {
        state.withLock { $0.guests.contains(guest) }
    }

    /// Returns the strangers that were turned away since the last call, the first 64 of them.
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
