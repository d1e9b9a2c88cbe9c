import Messaging
import Synchronization

/// Values for one poll loop from any thread; posting wakes the loop.
package final class Mailbox<Value: Sendable>: Sendable {
    package let wakeup: Wakeup
    private let values = Mutex<[Value]>([])

    package init() throws(MessagingError) { wakeup = try Wakeup() }

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
