import Messaging
import Synchronization

/// What a running process is asked from outside.
package enum Request: Sendable {
    /// To save and end.
    case stop
    /// To say how it stands.
    case status
}

/// Where requests come from: signals, another part of the program, a test.
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

    package var descriptor: Int32 { mailbox.wakeup.descriptor }

    package func post(_ request: Request) { mailbox.post(request) }

    package func next() -> Request? {
        taken.withLock { taken in
            taken += mailbox.take()
            return taken.isEmpty ? nil : taken.removeFirst()
        }
    }
}
