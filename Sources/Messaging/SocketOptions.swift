import CZeroMQ
import Glibc

/// The settings of a socket, made before it binds or connects. Limits are finite unless set
/// otherwise.
package struct SocketOptions: Sendable {
    /// Pings of the transport itself, which notice a stopped peer and a cut link.
    package struct Heartbeat: Sendable, Equatable {
        /// Time between two pings.
        package var interval: Duration
        /// Silence after which this side gives the connection up.
        package var timeout: Duration
        /// Silence after which the other side is asked to give it up.
        package var timeToLive: Duration

        /// Makes a heartbeat of its parts; each is rounded up to whole milliseconds.
        package init(interval: Duration, timeout: Duration, timeToLive: Duration) {
            self.interval = interval
            self.timeout = timeout
            self.timeToLive = timeToLive
        }
    }

    /// Messages that wait in a socket, a connection.
    package struct Queues: Sendable, Equatable {
        /// Messages queued before sending blocks.
        package var send = 64
        /// Messages queued before libzmq stops reading from the connection.
        package var receive = 64
        /// Queue only on connections that stand, so that sending fails while there is none.
        package var immediate = true
    }

    /// The sizes that a peer must keep to.
    package struct Limits: Sendable, Equatable {
        /// A larger frame breaks the connection that sent it.
        package var frameBytes = 64 << 20
        /// Frames of a message, identity not counted, above which it is dropped and reported.
        package var frames = 1
        /// Bytes of all frames of a message, above which it is dropped and reported.
        package var messageBytes = 64 << 20
    }

    /// The times that a connection takes to begin, to begin again and to end.
    package struct Waits: Sendable, Equatable {
        /// Time that the handshake of a new connection may take before it is closed.
        package var handshake: Duration = .seconds(5)
        /// Pause before the first attempt to connect again.
        package var reconnect: Duration = .milliseconds(50)
        /// The longest pause between attempts; each is twice the one before until then.
        package var reconnectLimit: Duration = .seconds(1)
        /// Time that closing waits for unsent messages.
        package var linger: Duration = .zero
    }

    /// The kernel's buffers of a connection in bytes; nil leaves one to the kernel, which then tunes
    /// it by itself.
    package struct Buffers: Sendable, Equatable {
        /// For what goes out.
        package var send: Int?
        /// For what comes in.
        package var receive: Int?
    }

    /// The encryption of a socket, and the peers that it speaks to.
    package enum Security: Sendable {
        case plain
        /// Encrypted; lets in whom the door's guest list names.
        case server(KeyPair, Gate.Door)
        /// Encrypted; speaks to the owner of `server` alone.
        case client(KeyPair, server: PublicKey)
    }

    /// The encryption; plain text unless set otherwise.
    package var security = Security.plain
    /// Bytes that encryption adds to a frame: a command's name, a nonce, flags and a tag (ZeroMQ
    /// RFC 26).
    package static let encryptionBytes = 33
    /// The messages that wait, a connection.
    package var queues = Queues()
    /// The sizes that a peer must keep to.
    package var limits = Limits()
    /// The times of connecting and closing.
    package var waits = Waits()
    /// The kernel's buffers, left to the kernel unless set otherwise.
    package var buffers = Buffers()
    /// The transport's pings; nil for none.
    package var heartbeat: Heartbeat?
    /// Whether tcp endpoints may have IPv6 addresses; IPv4 works either way.
    package var ipv6 = false
    /// The name under which a ROUTER knows this socket: 1 to 255 bytes, the first not 0.
    package var identity: [UInt8]?
    /// ROUTER only: sending to nobody is an error, not silence.
    package var mandatory = true

    /// Makes options with the values that stand above.
    package init() {}

    func apply(to handle: Handle, router: Bool) throws(MessagingError) {
        try queues.apply(to: handle)
        try limits.apply(to: handle)
        try waits.apply(to: handle)
        try buffers.apply(to: handle)
        try heartbeat?.apply(to: handle)
        try handle.set(ZMQ_IPV6, "IPV6", ipv6 ? 1 : 0 as Int32)
        if let identity { try handle.set(ZMQ_ROUTING_ID, "ROUTING_ID", identity) }
        // Unix sockets accept connections of this process's user only.
        try handle.set(ZMQ_IPC_FILTER_UID, "IPC_FILTER_UID", Int32(bitPattern: geteuid()))
        try security.apply(to: handle)
        if router {
            try handle.set(ZMQ_ROUTER_MANDATORY, "ROUTER_MANDATORY", mandatory ? 1 : 0 as Int32)
            // A new connection takes over the identity of an older one.
            try handle.set(ZMQ_ROUTER_HANDOVER, "ROUTER_HANDOVER", 1 as Int32)
        }
    }
}

extension SocketOptions.Queues {
    fileprivate func apply(to handle: Handle) throws(MessagingError) {
        try handle.set(ZMQ_SNDHWM, "SNDHWM", Int32(clamping: send))
        try handle.set(ZMQ_RCVHWM, "RCVHWM", Int32(clamping: receive))
        try handle.set(ZMQ_IMMEDIATE, "IMMEDIATE", immediate ? 1 : 0 as Int32)
    }
}

extension SocketOptions.Limits {
    fileprivate func apply(to handle: Handle) throws(MessagingError) {
        // What is read is checked against the limit itself.
        try handle.set(
            ZMQ_MAXMSGSIZE, "MAXMSGSIZE", Int64(frameBytes + SocketOptions.encryptionBytes))
    }
}

extension SocketOptions.Waits {
    fileprivate func apply(to handle: Handle) throws(MessagingError) {
        try handle.set(ZMQ_HANDSHAKE_IVL, "HANDSHAKE_IVL", handshake.milliseconds)
        try handle.set(ZMQ_RECONNECT_IVL, "RECONNECT_IVL", reconnect.milliseconds)
        try handle.set(ZMQ_RECONNECT_IVL_MAX, "RECONNECT_IVL_MAX", reconnectLimit.milliseconds)
        try handle.set(ZMQ_LINGER, "LINGER", linger.milliseconds)
    }
}

extension SocketOptions.Buffers {
    fileprivate func apply(to handle: Handle) throws(MessagingError) {
        if let send { try handle.set(ZMQ_SNDBUF, "SNDBUF", Int32(clamping: send)) }
        if let receive { try handle.set(ZMQ_RCVBUF, "RCVBUF", Int32(clamping: receive)) }
    }
}

extension SocketOptions.Heartbeat {
    fileprivate func apply(to handle: Handle) throws(MessagingError) {
        try handle.set(ZMQ_HEARTBEAT_IVL, "HEARTBEAT_IVL", interval.milliseconds)
        try handle.set(ZMQ_HEARTBEAT_TIMEOUT, "HEARTBEAT_TIMEOUT", timeout.milliseconds)
        try handle.set(ZMQ_HEARTBEAT_TTL, "HEARTBEAT_TTL", timeToLive.milliseconds)
    }
}

extension SocketOptions.Security {
    func apply(to handle: Handle) throws(MessagingError) {
        switch self {
        case .plain: break
        case .server(let keys, let door):
            try handle.set(ZMQ_ZAP_DOMAIN, "ZAP_DOMAIN", Array(door.domain.utf8))
            // A draft option: older and newer libraries may not know it. Then messages without a
            // `user`, which only a gate gives, tell that there was none.
            try? handle.set(Self.enforceDomain, "ZAP_ENFORCE_DOMAIN", 1 as Int32)
            try handle.set(ZMQ_CURVE_SERVER, "CURVE_SERVER", 1 as Int32)
            try handle.set(ZMQ_CURVE_SECRETKEY, "CURVE_SECRETKEY", keys.secret)
        case .client(let keys, let server):
            try handle.set(ZMQ_CURVE_SERVERKEY, "CURVE_SERVERKEY", server.bytes)
            try handle.set(ZMQ_CURVE_PUBLICKEY, "CURVE_PUBLICKEY", keys.publicKey.bytes)
            try handle.set(ZMQ_CURVE_SECRETKEY, "CURVE_SECRETKEY", keys.secret)
        }
    }

    /// ZMQ_ZAP_ENFORCE_DOMAIN: no gate, no connection.
    private static let enforceDomain: Int32 = 93
}

extension Duration {
    /// Milliseconds, rounded up so that a wait is never cut to nothing.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        let whole = Double(seconds) * 1000 + (Double(attoseconds) / 1e15).rounded(.up)
        return Int32(clamping: Int64(min(max(whole, 0), 2e9)))
    }
}
