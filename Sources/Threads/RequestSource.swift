import Messaging
import Synchronization

/// A request to a running process from outside.
package enum Request: Sendable {
    /// To save and end.
    case stop
    /// To say how it stands.
    case status
}

/// A source of requests: signals, another part of the program, a test.
package protocol RequestSource: AnyObject {
    /// Readable while there is a request to take.
    var descriptor: Int32 { get }

    /// The next request; nil if there is none.
    func next() -> Request?
}

/// Requests from any thread of this program.
package final class RequestBox: RequestSource, Sendable {
    private let mailbox: Mailbox<Request>
    private let taken = Mutex<[Request]>([])

    /// - Throws: where there is no descriptor.
    package init() throws(MessagingError) { mailbox = try Mailbox() }

    /// The mailbox's descriptor; it may be readable once more than there are requests.
    package var descriptor: Int32 { mailbox.wakeup.descriptor }

    /// Adds a request, from any thread.
    package func post(_ request: Request) { mailbox.post(request) }

    /// Returns the oldest request that has not been taken; nil if there is none.
    package func next() -> Request? {
        taken.withLock { taken in
            taken += mailbox.take()
            return taken.isEmpty ? nil : taken.removeFirst()
        }
    }
}
