import Coordination
import Foundation
import Messaging
import Resources
import Settings
import Threads
import Wire

/// A worker's way to its coordinator: looks for it, connects, and is let in.
///
/// Under the token's key it registers its own; under that it works.
struct CoordinatorLine {
    private let options: WorkerOptions
    private let context: Context
    /// The key that it speaks under, and the token that registers it; nil for plain text.
    private let own: KeyPair?
    private var token: Token?
    /// The coordinator knows `own`.
    private var isRegistered = false
    private(set) var connection: ControlConnection
    private var search: Search
    /// Why the connection is not even begun, and when that is tried again.
    private var hindrance: Hindrance?
    private var nextAttempt = ContinuousClock.now
    /// Which of the coordinator's addresses is tried.
    private var turn = 0
    private var setbacks = Setbacks()
    private var alone = Waiting()

    init(
        _ options: WorkerOptions, own: KeyPair?, in context: Context,
        post: @escaping @Sendable (Search.Finding) -> Void
    ) throws {
        self.options = options
        self.context = context
        self.own = own
        connection = try ControlConnection(in: context, isApplication: own != nil)
        search = Search(for: options.coordinator, post: post)
    }

    /// Where the coordinator is, in numbers, and what secures the connection.
    var way: (coordinator: Address, security: SocketOptions.Security)? { connection.way }

    // MARK: connecting

    /// Begins to connect, as soon as there is a way to the coordinator.
    ///
    /// - Returns: this host's address on that way, if the worker is to say hello on it.
    mutating func reach() throws -> IPAddress? {
        if connection.isFutile {
            turn += 1
            connection = try ControlConnection(in: context, isApplication: connection.isApplication)
        }
        guard connection.source == nil, .now >= nextAttempt else { return nil }
        do {
            guard let found = try search.addresses() else {
                // What is found wakes the loop.
                nextAttempt = .now + .seconds(60)
                return nil
            }
            try connection.connect(to: options.coordinator, at: found, turn: turn, security())
            hindrance = nil
        } catch let error as Hindrance {
            hindrance = error
            nextAttempt = .now + .milliseconds(300)
            return nil
        }
        guard connection.isApplication else { return connection.source }
        if let own {
            connection.post(AdmissionMessage.register(key: own.publicKey.bytes).encoded)
        }
        return nil
    }

    /// What the next connection is secured by.
    ///
    /// - Throws: `Hindrance` where the token's file is not there yet, else what is wrong with it.
    private mutating func security() throws -> SocketOptions.Security {
        guard let own else { return .plain }
        if case .tokenFile(let path) = options.access, token == nil,
            !FileManager.default.fileExists(atPath: path)
        {
            throw Hindrance.noTokenFile(path)
        }
        guard let token = try token ?? options.access.token() else { return .plain }
        self.token = token
        return .client(
            connection.isApplication ? token.workers : own, server: token.coordinator)
    }

    /// Begins anew under another identity.
    mutating func reconnect() throws(MessagingError) {
        connection = try ControlConnection(
            in: context, isApplication: own != nil && !isRegistered)
    }

    /// A thread has found something out.
    ///
    /// - Throws: `WorkerError.foreignService`.
    mutating func take(_ finding: Search.Finding) throws(WorkerError) {
        try search.take(finding)
        if case .addresses = finding { nextAttempt = .now }
    }

    // MARK: messages

    func join(_ poller: inout Poller) { connection.join(&poller) }

    /// The moment at which to reach out again, if that is before `tick`.
    func wakes(before tick: ContinuousClock.Instant) -> ContinuousClock.Instant {
        connection.source == nil ? min(tick, nextAttempt) : tick
    }

    mutating func receive() throws(MessagingError) -> [UInt8]? {
        guard let bytes = try connection.receive() else { return nil }
        alone.heard()
        setbacks = Setbacks()
        return bytes
    }

    /// Queues a message; `flush` sends what the socket takes.
    func post(_ message: [UInt8]) { connection.post(message) }

    func flush() throws(MessagingError) { try connection.flush() }

    /// Gives the last words a moment.
    func flushLast() throws(MessagingError) {
        try connection.flush(until: .now + .milliseconds(200))
    }

    /// Something has come that no coordinator says.
    mutating func hasDoubts() { search.hasDoubts() }

    // MARK: admission

    /// What has become of a try to be let in.
    enum Turn {
        /// Nothing that concerns the worker.
        case nothing
        case reconnects
        case disconnected
        case refused(WorkerOutcome)
        case hopeless(WorkerError)
    }

    /// The coordinator has answered to the token's key.
    mutating func answered(_ bytes: [UInt8]) -> Turn {
        do throws(WireError) {
            guard case .registered = try AdmissionMessage(decoding: bytes) else { return .nothing }
            isRegistered = true
            return .reconnects
        } catch .otherProtocol(let theirs, let ours) {
            return .refused(.otherProtocol(theirs: theirs, ours: ours))
        } catch {
            search.hasDoubts()
            guard case .refused(let refusal)? = try? CoordinatorMessage(decoding: bytes) else {
                return .nothing
            }
            return .refused(.refused(refusal))
        }
    }

    /// The handshake has failed.
    mutating func turnedAway(_ reason: HandshakeFailure) -> Turn {
        let address = options.coordinator
        nextAttempt = .now + .milliseconds(100)
        switch reason {
        case .otherMechanism:
            return .hopeless(own == nil ? .tokenMissing(address) : .plainCoordinator(address))
        case .refused where !connection.isApplication:
            // A coordinator that was started anew knows no keys yet.
            isRegistered = false
            return .reconnects
        case .refused: return takeNewerToken() ? .reconnects : .hopeless(.tokenRefused(address))
        case .otherKey, .nonsense, .cutOff:
            search.hasDoubts()
            let isHopeless = own != nil && setbacks.isHopeless(at: .now)
            return isHopeless ? .hopeless(.foreignToken(address)) : .disconnected
        }
    }

    /// Looks whether the file holds another token by now.
    private mutating func takeNewerToken() -> Bool {
        guard case .tokenFile = options.access, let new = try? options.access.token(), new != token
        else { return false }
        token = new
        return true
    }

    /// Keeps what the coordinator says is the token from now on.
    mutating func keep(token text: String) {
        guard let new = try? Token(text), new.coordinator == token?.coordinator else { return }
        token = new
    }

    // MARK: waiting

    /// While no coordinator has answered: looks who listens in its place, and says from time to time
    /// how long the wait has been.
    ///
    /// - Throws: `WorkerError` when it has been long enough.
    mutating func wait(_ report: (WorkerReport) -> Void) throws {
        if let way = connection.way { try search.suspect(way.coordinator) }
        if let seconds = alone.report() {
            let hindrance = hindrance ?? (search.meetsSilence ? .silence : nil)
            report(.stillWaiting(coordinator: options.coordinator, seconds: seconds, hindrance))
        }
        guard alone.seconds < options.wait.seconds else {
            throw WorkerError.coordinatorNeverCame(
                options.coordinator, seconds: Int(options.wait.seconds))
        }
    }
}

extension WorkerOutcome {
    /// The coordinator is of another version, whose words cannot be understood.
    static func otherProtocol(theirs: Int, ours: Int) -> WorkerOutcome {
        .unfit(reason: "the coordinator speaks protocol \(theirs), this worker \(ours)")
    }
}
