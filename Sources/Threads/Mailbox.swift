import Messaging
import Synchronization

/// Values for one poll loop from any thread; posting wakes the loop.
package final class Mailbox<Value: Sendable>: Sendable {
    /// The descriptor that a poll loop waits for: readable while values may be there.
    package let wakeup: Wakeup
    private let values = Mutex<[Value]>([])

    /// Makes an empty mailbox.
    ///
    /// - Throws: `.system` when the process has no descriptors left.
    package init() throws(MessagingError) { wakeup = try Wakeup() }

    /// Adds a value and wakes the loop; never blocks on it.
    package func post(_ value: Value) {
        values.withLock { $0.append(value) }
        wakeup.signal()
    }

    /// Everything posted since the last call, oldest first.
    package func take() -> [Value] {
        wakeup.drain()
        return values.withLock { taken in
            defer { taken = [] }
            return taken
        }
    }
}
