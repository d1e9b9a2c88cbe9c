import Messaging
import Settings
import Wire

/// One question to a coordinator and its answer, under the token's key.
package struct CoordinatorCall {
    /// Why there was no answer.
    package enum Failure: Error, Sendable {
        case noAnswer(Address, seconds: Int)
        case otherProtocol(Address, theirs: Int, ours: Int)
        case nonsense(Address)
        /// Another service listens there; the first words that it says.
        case foreign(Address, says: String)
        /// The handshake came to nothing.
        case notShaken(WorkerError)

        /// No coordinator is there.
        package var isAbsence: Bool {
            switch self {
            case .noAnswer, .nonsense, .foreign: true
            case .otherProtocol, .notShaken: false
            }
        }
    }

    package let coordinator: Address
    package let access: Access
    static let patience = 5

    package init(_ coordinator: Address, _ access: Access) {
        self.coordinator = coordinator
        self.access = access
    }

    /// - Parameter mark: first byte of the routing identity, which says what is asked.
    /// - Throws: `Failure`, `MessagingError`, what is wrong with the token.
    func ask(_ question: [UInt8], mark: UInt8, limit: Int) throws -> [UInt8] {
        let context = try Context()
        var options = SocketOptions()
        options.identity = [mark] + (0..<8).map { _ in UInt8.random(in: 0...255) }
        options.waits.linger = .zero
        options.limits.frameBytes = limit
        options.limits.messageBytes = limit
        options.ipv6 = true
        if let token = try access.token() {
            options.security = .client(token.workers, server: token.coordinator)
        }
        let socket = try DealerSocket(context, options)
        let monitor = try SocketMonitor(socket)
        guard let address = try coordinator.answering() else { throw silence }
        try socket.connect(coordinator.at(address).description)
        let deadline = ContinuousClock.now + .seconds(Self.patience)
        var suspicion = Suspicion(of: coordinator)
        var setbacks = Setbacks()
        var isAsked = false
        while true {
            try suspicion.check(address)
            if !isAsked { isAsked = try socket.send(question) }
            if let answer = try read(socket) { return answer }
            while let event = try monitor.receive() {
                guard case .handshakeFailed(let reason) = event.kind else { continue }
                try judge(reason, &setbacks)
            }
            var poller = Poller()
            poller.add(socket, for: isAsked ? .readable : [.readable, .writable])
            poller.add(monitor)
            if try poller.wait(until: min(deadline, suspicion.due)) { continue }
            guard .now < deadline else { throw silence }
        }
    }

    /// The next answer. What is no message of ours at all comes from another service.
    func read(_ socket: borrowing DealerSocket) throws -> [UInt8]? {
        do throws(MessagingError) {
            return try socket.receive()
        } catch .tooManyBytes, .tooManyFrames, .tooFewFrames {
            throw Failure.nonsense(coordinator)
        }
    }

    var silence: Failure { .noAnswer(coordinator, seconds: Self.patience) }

    func judge(_ reason: HandshakeFailure, _ setbacks: inout Setbacks) throws(Failure) {
        switch reason {
        case .refused: throw .notShaken(.tokenRefused(coordinator))
        case .otherMechanism:
            throw .notShaken(
                access.isPlain ? .tokenMissing(coordinator) : .plainCoordinator(coordinator))
        case .otherKey, .nonsense, .cutOff:
            guard !access.isPlain, setbacks.isHopeless(at: .now) else { return }
            throw .notShaken(.foreignToken(coordinator))
        }
    }

    /// Reads the answer as `decode` does.
    func read<Value>(_ decode: () throws(WireError) -> Value) throws(Failure) -> Value {
        do throws(WireError) {
            return try decode()
        } catch .otherProtocol(let theirs, let ours) {
            throw .otherProtocol(coordinator, theirs: theirs, ours: ours)
        } catch {
            throw .nonsense(coordinator)
        }
    }

    /// Has the coordinator read its run's token anew; returns how many workers have it now.
    package func announceToken() throws -> Int {
        let answer = try ask(
            AdmissionMessage.readToken.encoded, mark: AdmissionMessage.identityMark, limit: 4096)
        return try read { () throws(WireError) in
            guard case .tokenRead(let workers) = try AdmissionMessage(decoding: answer) else {
                throw .foreignMagic
            }
            return workers
        }
    }
}

/// Looks once whether it is another service that does not answer.
struct Suspicion {
    private let coordinator: Address
    private(set) var due = ContinuousClock.now + .seconds(1)

    init(of coordinator: Address) { self.coordinator = coordinator }

    /// Throws `CoordinatorCall.Failure.foreign` if it is.
    mutating func check(_ address: IPAddress) throws(CoordinatorCall.Failure) {
        guard due <= .now else { return }
        due = .now + .seconds(3600)
        if case .foreign(let words) = Greeting(of: address, port: coordinator.port) {
            throw .foreign(coordinator, says: words)
        }
    }
}
