import Messaging
import Resources
import Settings

/// Where a worker's coordinator may be.
///
/// The resolver, and a service that says nothing, may take seconds: threads wait for them, so that
/// the loop hears signals meanwhile.
struct Search {
    /// What a thread has found out.
    enum Finding: Sendable {
        case addresses(Result<[IPAddress], MessagingError>)
        case greeting(Greeting)
    }

    private let coordinator: Address
    private let post: @Sendable (Finding) -> Void
    private var found: Result<[IPAddress], MessagingError>?
    private var isLookingUp = false
    private var isListening = false
    /// When it is worth a look whether another service listens there.
    private var suspicionDue = ContinuousClock.now + Self.firstSuspicion
    /// Somebody has accepted a connection and said nothing.
    private(set) var meetsSilence = false

    private static let firstSuspicion = Duration.milliseconds(1500)
    private static let laterSuspicion = Duration.seconds(20)

    init(for coordinator: Address, post: @escaping @Sendable (Finding) -> Void) {
        self.coordinator = coordinator
        self.post = post
    }

    /// What the coordinator's host leads to, looked up anew each time; nil while that is under way.
    ///
    /// - Throws: `Hindrance` where it leads nowhere, `ResourceError`.
    mutating func addresses() throws -> [IPAddress]? {
        if let address = IPAddress(coordinator.host) { return [address] }
        guard let result = found else {
            try lookUp()
            return nil
        }
        found = nil
        do throws(MessagingError) {
            return try result.get()
        } catch .unknownHost(let name, let reason) {
            throw Hindrance.unknownHost(name, reason: reason)
        }
    }

    private mutating func lookUp() throws(ResourceError) {
        guard !isLookingUp else { return }
        isLookingUp = true
        let coordinator = coordinator
        let post = post
        try startThread("resolver") {
            let result = Result { () throws(MessagingError) in try coordinator.candidates() }
            post(.addresses(result))
        }
    }

    /// Nobody has answered as a coordinator: looks who listens at `address`, from time to time.
    mutating func suspect(_ address: Address) throws(ResourceError) {
        guard !isListening, suspicionDue <= .now, let host = IPAddress(address.host) else { return }
        isListening = true
        let post = post
        try startThread("greeting") { post(.greeting(Greeting(of: host, port: address.port))) }
    }

    /// A handshake came to nothing, or a coordinator was lost: soon is a good moment to look.
    mutating func hasDoubts(after pause: Duration = .milliseconds(200)) {
        suspicionDue = min(suspicionDue, .now + pause)
    }

    /// - Throws: `WorkerError.foreignService`.
    mutating func take(_ finding: Finding) throws(WorkerError) {
        switch finding {
        case .addresses(let result):
            isLookingUp = false
            found = result
        case .greeting(let greeting):
            isListening = false
            suspicionDue = .now + Self.laterSuspicion
            meetsSilence = greeting == .nothing
            if case .foreign(let words) = greeting {
                throw .foreignService(coordinator, says: words)
            }
        }
    }
}
