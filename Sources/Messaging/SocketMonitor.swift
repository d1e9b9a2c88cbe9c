import CZeroMQ
import Synchronization

/// A change in a connection of a monitored socket.
package struct ConnectionEvent: Sendable, Equatable {
    /// The changes that dtrain knows; `other` bears libzmq's number.
    package enum Kind: Sendable, Equatable {
        case listening
        /// The other side has connected; the descriptor is the new connection's.
        case accepted
        case connected
        /// Both sides speak the protocol: messages may flow.
        case ready
        case disconnected
        case handshakeFailed(HandshakeFailure)
        /// Accepting failed, as when descriptors have run out: an errno.
        case acceptFailed(code: Int32)
        case other(UInt16)
    }

    /// The change.
    package let kind: Kind
    /// The connection's descriptor, -1 where the event has none.
    package let descriptor: Int32
    /// The endpoint concerned, as libzmq writes it.
    package let endpoint: String
}

/// Why two sides did not come to speak the same protocol.
package enum HandshakeFailure: Codable, Sendable, Hashable {
    /// The gate does not know the client's key.
    case refused
    /// One side encrypts, the other does not.
    case otherMechanism
    /// The client has another server in mind, or bytes were altered on the way.
    case otherKey
    /// The bytes that came are no handshake; libzmq's code.
    case nonsense(code: Int32)
    /// The connection ended, or time ran out, in the middle of it; an errno.
    case cutOff(code: Int32)

    init(protocolError code: Int32) {
        switch code {
        case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH: self = .otherMechanism
        case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: self = .otherKey
        default: self = .nonsense(code: code)
        }
    }
}

/// Tells a socket's owner, on the same thread, which connections come and go.
///
/// It keeps the socket open until it is itself gone.
package struct SocketMonitor: ~Copyable {
    let pair: Handle
    private let observed: Handle
    private let message = Message()

    private static let counter = Atomic<Int>(0)

    /// Starts to watch a ROUTER socket.
    ///
    /// - Throws: `.system` when there are no sockets left.
    package init(_ socket: borrowing RouterSocket) throws(MessagingError) {
        try self.init(socket.base.handle)
    }

    /// Starts to watch a DEALER socket.
    ///
    /// - Throws: `.system` when there are no sockets left.
    package init(_ socket: borrowing DealerSocket) throws(MessagingError) {
        try self.init(socket.base.handle)
    }

    private init(_ observed: Handle) throws(MessagingError) {
        let number = Self.counter.add(1, ordering: .relaxed).newValue
        let endpoint = "inproc://monitor-\(number)"
        guard zmq_socket_monitor(observed.pointer, endpoint, Self.events) == 0 else {
            throw .system(call: "zmq_socket_monitor", code: zmq_errno())
        }
        let pair = try Handle(observed.context, type: ZMQ_PAIR)
        // Unlimited: libzmq's I/O thread would block on a full queue of events.
        try pair.set(ZMQ_RCVHWM, "RCVHWM", 0 as Int32)
        guard zmq_connect(pair.pointer, endpoint) == 0 else {
            throw .system(call: "zmq_connect(\(endpoint))", code: zmq_errno())
        }
        self.pair = pair
        self.observed = observed
    }

    // The socket must stop reporting before nobody listens: its I/O thread would block.
    deinit { zmq_socket_monitor(observed.pointer, nil, 0) }

    /// The next event, nil if there is none.
    package func receive() throws(MessagingError) -> ConnectionEvent? {
        guard zmq_msg_recv(message.pointer, pair.pointer, ZMQ_DONTWAIT) >= 0 else { return nil }
        guard message.count >= 6, message.hasMore else { throw .tooFewFrames(expected: 2) }
        let (event, value) = message.withBytes { bytes in
            (
                bytes.loadUnaligned(as: UInt16.self),
                bytes.loadUnaligned(fromByteOffset: 2, as: Int32.self)
            )
        }
        guard zmq_msg_recv(message.pointer, pair.pointer, ZMQ_DONTWAIT) >= 0 else {
            throw .tooFewFrames(expected: 2)
        }
        let endpoint = message.withBytes { String(decoding: $0, as: UTF8.self) }
        return Self.event(event, value, endpoint)
    }

    private static let events =
        ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_CONNECTED
        | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
        | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
        | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH

    private static func event(
        _ event: UInt16, _ value: Int32, _ endpoint: String
    ) -> ConnectionEvent {
        let kind: ConnectionEvent.Kind =
            switch Int32(event) {
            case ZMQ_EVENT_LISTENING: .listening
            case ZMQ_EVENT_ACCEPTED: .accepted
            case ZMQ_EVENT_CONNECTED: .connected
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: .ready
            case ZMQ_EVENT_DISCONNECTED: .disconnected
            case ZMQ_EVENT_ACCEPT_FAILED: .acceptFailed(code: value)
            case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: .handshakeFailed(.refused)
            case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: .handshakeFailed(.init(protocolError: value))
            case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: .handshakeFailed(.cutOff(code: value))
            default: .other(event)
            }
        switch kind {
        case .handshakeFailed, .acceptFailed, .other:
            return ConnectionEvent(kind: kind, descriptor: -1, endpoint: endpoint)
        default:
            return ConnectionEvent(kind: kind, descriptor: value, endpoint: endpoint)
        }
    }
}
