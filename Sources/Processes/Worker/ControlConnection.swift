import Messaging
import Settings
import Wire

/// Why a worker can't even begin to connect.
package enum Hindrance: Error, Equatable, Sendable {
    /// The name leads nowhere, in the resolver's words.
    case unknownHost(String, reason: String)
    case noRoute(to: IPAddress)
    /// The file that is to hold the token is not there yet.
    case noTokenFile(String)
    /// Somebody listens there and says nothing.
    case silence
}

/// A worker's connection to its coordinator, under an identity drawn at random.
final class ControlConnection {
    private let socket: DealerSocket
    private let monitor: SocketMonitor
    private var outbox: [[UInt8]] = []
    /// This host's address on the way to the coordinator; nil until there is a way.
    private(set) var source: IPAddress?
    /// Where the coordinator is, in numbers, and what secures the connection.
    private(set) var way: (coordinator: Address, security: SocketOptions.Security)?
    /// When connecting began, while there are other addresses to try and this one does not answer.
    private var tryingSince: ContinuousClock.Instant?

    /// What became of the connection.
    enum Break: Equatable {
        case ended
        case notShaken(HandshakeFailure)
    }

    /// Whether it is there to register a key, not to work.
    let isApplication: Bool
    private var failure: HandshakeFailure?

    /// Takes a socket; `connect` connects it.
    init(in context: Context, isApplication: Bool) throws(MessagingError) {
        self.isApplication = isApplication
        var options = SocketOptions()
        options.identity =
            [isApplication ? AdmissionMessage.identityMark : 1]
            + (0..<8).map { _ in UInt8.random(in: 0...255) }
        options.queues.send = 256
        options.queues.receive = 256
        // With it libzmq throws away what has arrived but is not read when the connection breaks:
        // the run's end, which the coordinator says just before it goes.
        options.queues.immediate = false
        options.waits.linger = .milliseconds(200)
        options.limits.frameBytes = WireLimit.message
        options.limits.messageBytes = WireLimit.message
        options.ipv6 = true
        socket = try DealerSocket(context, options)
        monitor = try SocketMonitor(socket)
    }

    /// Starts to connect; libzmq goes on trying until this is dropped.
    ///
    /// - Parameters:
    ///   - found: what the coordinator's host leads to.
    ///   - turn: where that is several addresses they take turns.
    /// - Throws: `Hindrance` when that is not possible yet; it may be tried again.
    func connect(
        to coordinator: Address, at found: [IPAddress], turn: Int,
        _ security: SocketOptions.Security
    ) throws {
        guard source == nil else { return }
        let ways = found.compactMap { address in
            Route.source(towards: address).map { (address: address, source: $0) }
        }
        guard !ways.isEmpty else { throw Hindrance.noRoute(to: found[0]) }
        let way = ways[turn % ways.count]
        try socket.secure(security)
        try socket.connect(coordinator.at(way.address).description)
        source = way.source
        self.way = (coordinator.at(way.address), security)
        tryingSince = ways.count > 1 ? .now : nil
    }

    /// Nobody has answered here for so long that another address is worth a try.
    var isFutile: Bool { tryingSince.map { $0 + .seconds(1) < .now } ?? false }

    func join(_ poller: inout Poller) {
        poller.add(socket, for: outbox.isEmpty ? .readable : [.readable, .writable])
        poller.add(monitor)
    }

    /// Why the connection has ended; nil while it has not.
    func takeBreak() throws(MessagingError) -> Break? {
        while let event = try monitor.receive() {
            if event.kind == .connected { tryingSince = nil }
            if case .handshakeFailed(let reason) = event.kind { failure = reason }
            guard event.kind == .disconnected else { continue }
            defer { failure = nil }
            return failure.map { .notShaken($0) } ?? .ended
        }
        return nil
    }

    func receive() throws(MessagingError) -> [UInt8]? { try socket.receive() }

    /// Queues a message; `flush` sends what the socket takes.
    func post(_ message: [UInt8]) { outbox.append(message) }

    func flush() throws(MessagingError) {
        while let first = outbox.first {
            guard try socket.send(first) else { return }
            outbox.removeFirst()
        }
    }

    /// Gives the last words a moment to be taken by the socket.
    func flush(until deadline: ContinuousClock.Instant) throws(MessagingError) {
        for message in outbox {
            do throws(MessagingError) {
                try socket.send(message, until: deadline)
            } catch .wouldBlock {
                return
            }
        }
        outbox = []
    }
}
