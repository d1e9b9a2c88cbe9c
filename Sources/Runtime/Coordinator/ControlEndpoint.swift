import Messaging
import Wire

/// The socket that workers connect to, bound before the run takes its folder.
final class ControlEndpoint {
    let context: Context
    let socket: RouterSocket
    let monitor: SocketMonitor
    /// Where workers connect.
    let address: Address

    /// Throws `addressInUse` and the like.
    init(_ bind: Address) throws(MessagingError) {
        context = try Context()
        var options = SocketOptions()
        options.sendHighWater = 256
        options.receiveHighWater = 256
        options.linger = .seconds(1)
        options.maximumFrameBytes = WireLimit.message
        options.maximumMessageBytes = WireLimit.message
        options.ipv6 = bind.host.contains(":")
        socket = try RouterSocket(context, options)
        monitor = try SocketMonitor(socket)
        let host = bind.host.contains(":") ? "[\(bind.host)]" : bind.host
        let bound = try socket.bind(bind.port == 0 ? "tcp://\(host):*" : bind.description)
        address = Address(bound) ?? bind
    }
}
