import Synchronization

/// Hands out 0, 1, 2, … to whoever asks first.
package final class SharedCounter: Sendable {
    private let value = Atomic<Int>(0)

    /// Begins at 0.
    package init() {}

    /// The next number, or nil where that would be `limit` or more.
    package func take(below limit: Int) -> Int? {
        let taken = value.add(1, ordering: .relaxed).oldValue
        return taken < limit ? taken : nil
    }
}
