import Messaging
import Ring
import Wire

/// The connection to the successor in one generation: sums go out, credits come back.
final class RingLink {
    let socket: DealerSocket
    let monitor: SocketMonitor
    let endpoint: String
    /// The successor is in this generation and has this worker for its predecessor.
    var answered = false

    init(
        _ context: Context, _ configuration: RingConfiguration, endpoint: String,
        identity: [UInt8]
    ) throws(MessagingError) {
        var options = configuration.socketOptions
        options.identity = identity
        let socket = try DealerSocket(context, options)
        let monitor = try SocketMonitor(socket)
        try socket.connect(endpoint)
        self.socket = socket
        self.monitor = monitor
        self.endpoint = endpoint
    }
}

/// The successor's view of the connection from the predecessor.
struct RingInbound {
    let identity: [UInt8]
    /// Descriptor of the connection, as the monitor names it.
    let connection: Int32
    let greeting: FrameHeader
}

extension RingConfiguration {
    var socketOptions: SocketOptions {
        var options = SocketOptions()
        // All that credits allow, partials and totals, and the few frames of forming.
        options.sendHighWater = 2 * credits + 16
        options.receiveHighWater = 2 * credits + 16
        options.maximumFrameBytes = FrameHeader.byteCount + chunkBytes
        options.maximumMessageBytes = options.maximumFrameBytes
        options.linger = .zero
        options.immediate = true
        options.heartbeat = heartbeat
        options.sendBufferBytes = bufferBytes
        options.receiveBufferBytes = bufferBytes
        options.reconnectInterval = .milliseconds(20)
        options.reconnectIntervalLimit = .milliseconds(500)
        return options
    }
}
