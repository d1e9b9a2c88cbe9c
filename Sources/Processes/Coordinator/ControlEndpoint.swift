import Coordination
import Messaging
import Settings
import Wire

/// The socket that workers connect to, bound before the run takes its folder.
package final class ControlEndpoint {
    let context: Context
    let socket: RouterSocket
    let monitor: SocketMonitor
    /// Where workers connect.
    let address: Address
    /// The same for workers of this host, whatever others are told.
    let localAddress: Address

    /// Whom it lets in; nil where all is plain text.
    let admissions: Admissions?
    /// Connections that nothing has come over yet.
    var unproven = Connections()

    /// Why an address that can be bound would be of no use.
    package enum Failure: Error, Equatable, Sendable {
        /// The name leads to loopback here, as a host's own name often does.
        case leadsToLoopback(host: String, IPAddress)
    }

    /// - Parameters:
    ///   - advertise: the host that others are told, in place of the one bound.
    ///   - keys: nil for plain text.
    ///   - report: bytes that a worker's message may have.
    /// - Throws: `MessagingError` (`addressInUse` and the like), `Failure`.
    init(_ bind: Address, advertise: String? = nil, keys: RunKeys?, report: Int) throws {
        let addresses = try bind.candidates()
        if !bind.isLoopback, let first = addresses.first, addresses.allSatisfy(\.isLoopback) {
            throw Failure.leadsToLoopback(host: bind.host, first)
        }
        let context = try Context()
        self.context = context
        var options = SocketOptions()
        options.queues.send = 256
        options.queues.receive = 256
        options.waits.linger = .seconds(1)
        options.limits.frameBytes = report
        options.limits.messageBytes = report
        options.ipv6 = addresses.contains { $0.family == .v6 }
        admissions = try keys.map { try Admissions(context, $0.token) }
        if let keys, let admissions {
            options.security = .server(keys.coordinator, admissions.door)
        }
        socket = try RouterSocket(context, options)
        monitor = try SocketMonitor(socket)
        let port = try socket.bind(addresses, ports: bind.port == 0 ? nil : bind.port...bind.port)
        localAddress = Address(host: Self.host(bind, addresses), port: port)
        address = advertise.map { Address(host: $0, port: port) } ?? localAddress
    }

    /// The host as others may give it: for a wildcard, the address that this host bears most likely.
    private static func host(_ bind: Address, _ addresses: [IPAddress]) -> String {
        guard let only = addresses.first, only.isWildcard else { return bind.host }
        return (Route.likelySource(only == .anyV4 ? .v4 : nil) ?? .loopback).description
    }

    /// Who speaks; nil for whom nobody listens to.
    func caller(_ sender: RouterSocket.Sender) -> Caller? {
        unproven.heard(from: sender.connection)
        guard sender.identity.count == 9 else { return nil }
        if let admissions { return admissions.caller(sender) }
        if let peer = PeerID(identity: sender.identity) { return .worker(peer) }
        if RelayAddress.isIdentity(sender.identity) { return .neighbour }
        return sender.identity[0] == StatusMessage.identityMark ? .asker : nil
    }
}

/// Who has sent a message to a coordinator.
enum Caller: Hashable {
    case worker(PeerID)
    /// Wants to know how the run stands.
    case asker
    /// Has frames of the ring for another worker.
    case neighbour
    /// Has the token and names the key that it will speak under.
    case applicant
}
