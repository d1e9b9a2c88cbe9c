import Glibc
import Messaging
import Ring
import Settings
import Wire

/// The connection to the successor in one generation: sums go out, credits come back.
final class RingLink {
    let socket: DealerSocket
    let monitor: SocketMonitor
    let endpoint: String
    /// Descriptor of the connection, as the monitor names it; -1 while there is none.
    var connection: Int32 = -1
    private var meter = LinkMeter()
    /// The successor's inbox, where frames go through the coordinator.
    let target: [UInt8]?
    /// Shared memory, if it is to be tried; `isOpen` when the successor has mapped it.
    var lane: OutgoingLane?
    /// The successor has tried, and can't.
    var memoryRefused = false
    /// The successor is in this generation and has this worker for its predecessor.
    var answered = false
    /// The stream that is being made, once the successor has said where; then the stream.
    var entrance: StreamEntrance?
    var stream: RingStream?
    /// None could be made in this generation.
    var streamFailed = false
    /// The endpoint in numbers.
    let place: String
    /// Whether the socket encrypts, and with it whatever goes beside it.
    let isSealed: Bool
    /// The reason that the last handshake failed: then libzmq does not try again by itself.
    var failure: HandshakeFailure?

    init(
        _ context: Context, _ configuration: RingConfiguration, endpoint: String,
        identity: [UInt8], heartbeat: SocketOptions.Heartbeat?, security: SocketOptions.Security,
        relay: RelayAccess? = nil
    ) throws(MessagingError) {
        self.endpoint = endpoint
        target = RelayAddress.inbox(endpoint)
        if target != nil {
            guard let relay else { throw .invalidEndpoint(endpoint, code: EINVAL) }
            place = endpoint
            isSealed = false
            let name = [RelayAddress.linkMark] + (0..<8).map { _ in UInt8.random(in: 0...255) }
            socket = try relay.socket(context, configuration, identity: name, heartbeat: heartbeat)
            monitor = try SocketMonitor(socket)
            try socket.connect(relay.coordinator)
            return
        }
        var options = configuration.socketOptions
        options.identity = identity
        options.security = security
        if let heartbeat { options.heartbeat = heartbeat }
        if endpoint.hasPrefix("ipc:") { options.buffers.send = configuration.bufferBytes }
        if case .plain = security { isSealed = false } else { isSealed = true }
        place = try Self.resolved(endpoint)
        options.ipv6 = place.hasPrefix("tcp://[")
        socket = try DealerSocket(context, options)
        monitor = try SocketMonitor(socket)
        try socket.connect(place)
    }

    /// Returns the rate of the network between two hosts since the last reading. Nil where it
    /// cannot be told: sums do not go over tcp, or go through the coordinator.
    func measured() -> LinkMeter.Reading? {
        guard transport == .tcp, target == nil else { return nil }
        return meter.read(connection: stream?.stream.descriptor ?? connection)
    }

    // MARK: frames

    /// Hands a frame on without a copy; it is untouched if false.
    func send(_ frame: Message) throws(MessagingError) -> Bool {
        guard let target else { return try socket.send(frame) }
        return try socket.send(address: target, frame)
    }

    func send(_ frame: [UInt8]) throws(MessagingError) -> Bool {
        guard let target else { return try socket.send(frame) }
        return try socket.send(address: target, frame)
    }

    /// The next frame; an empty one says that the successor is gone.
    func receive(_ payload: Message, sender: Message) throws(MessagingError) -> Bool {
        guard target != nil else { return try socket.receive(payload: payload) }
        return try socket.receive(address: sender, payload: payload)
    }

    /// A tcp endpoint in numbers. libzmq would look names up on the thread that moves all bytes.
    private static func resolved(_ endpoint: String) throws(MessagingError) -> String {
        guard let address = Address(endpoint) else { return endpoint }
        let found = try address.candidates()
        let reachable = found.first { Route.source(towards: $0) != nil } ?? found[0]
        return "tcp://\(reachable.inEndpoint):\(address.port)"
    }
}

/// The evidence of who has greeted.
enum Proof: Equatable {
    /// The gate has let this key in.
    case key(PublicKey)
    /// A process of this user on this host, as the kernel says.
    case sameUser
    /// The coordinator has passed it on.
    case relayed
    case none
}

/// The successor's view of the connection from the predecessor.
struct RingInbound {
    let identity: [UInt8]
    /// Descriptor of the connection, as the monitor names it.
    let connection: Int32
    let greeting: FrameHeader
    let proof: Proof
    /// The way that the predecessor would have beside this connection; empty for none.
    let offer: [UInt8]
    /// Its memory, once it is this worker's predecessor and the memory could be mapped.
    var lane: IncomingLane?
    /// The place where its stream will come in; then the stream.
    var door: StreamDoor?
    var stream: RingStream?
}

extension RingConfiguration {
    /// Bytes that an offer of memory or its answer may have.
    static let attachment = 1024

    var socketOptions: SocketOptions {
        var options = SocketOptions()
        // Credits bound what is queued: totals of one step, partials and totals of the next, and the
        // few frames of forming. libzmq tells a sender of what was taken only when half of the limit
        // has been, so that it must be twice as high never to be met.
        options.queues.send = 2 * (3 * credits + 16)
        options.queues.receive = 2 * (3 * credits + 16)
        options.limits.frameBytes = FrameHeader.byteCount + max(chunkBytes, Self.attachment)
        options.limits.messageBytes = options.limits.frameBytes
        options.waits.linger = .zero
        options.queues.immediate = true
        options.heartbeat = heartbeat
        options.waits.reconnect = .milliseconds(20)
        options.waits.reconnectLimit = .milliseconds(500)
        return options
    }
}
