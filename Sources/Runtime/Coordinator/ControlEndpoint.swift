import Messaging
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

    /// Why an address that can be bound would be of no use.
    package enum Failure: Error, Equatable, Sendable {
        /// The name leads to loopback here, as a host's own name often does.
        case leadsToLoopback(host: String, IPAddress)
    }

    /// `advertise`: the host that others are told, in place of the one bound.
    ///
    /// Throws `MessagingError` (`addressInUse` and the like), `Failure`.
    init(_ bind: Address, advertise: String? = nil) throws {
        let addresses = try bind.candidates()
        if !bind.isLoopback, let first = addresses.first, addresses.allSatisfy(\.isLoopback) {
            throw Failure.leadsToLoopback(host: bind.host, first)
        }
        context = try Context()
        var options = SocketOptions()
        options.sendHighWater = 256
        options.receiveHighWater = 256
        options.linger = .seconds(1)
        options.maximumFrameBytes = WireLimit.message
        options.maximumMessageBytes = WireLimit.message
        options.ipv6 = addresses.contains { $0.family == .v6 }
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
}
