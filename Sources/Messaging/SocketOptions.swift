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

    /// Kernel probes of a silent tcp connection.
    package struct KeepAlive: Sendable, Equatable {
        /// Silence after which the first probe goes out, in whole seconds.
        package var idle: Duration
        /// Time between two probes, in whole seconds.
        package var interval: Duration
        /// Number of unanswered probes after which the kernel gives the connection up.
        package var probes: Int

        /// Makes a keep-alive of its parts; times are cut to whole seconds, at least one.
        package init(idle: Duration, interval: Duration, probes: Int) {
            self.idle = idle
            self.interval = interval
            self.probes = probes
        }
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
    /// Messages queued a connection before sending blocks or receiving stops.
    package var sendHighWater = 64
    /// Messages queued a connection before libzmq stops reading from it.
    package var receiveHighWater = 64
    /// Time that closing waits for unsent messages.
    package var linger: Duration = .zero
    /// A larger frame breaks the connection that sent it.
    package var maximumFrameBytes = 64 << 20
    /// Frames of a message, identity not counted, above which it is dropped and reported.
    package var maximumFrames = 1
    /// Bytes of all frames of a message, above which it is dropped and reported.
    package var maximumMessageBytes = 64 << 20
    /// Queue only on connections that stand, so that sending fails while there is none.
    package var immediate = true
    /// Whether tcp endpoints may have IPv6 addresses; IPv4 works either way.
    package var ipv6 = false
    /// The transport's pings; nil for none.
    package var heartbeat: Heartbeat?
    /// The kernel's probes of tcp connections; nil leaves them to the system's settings.
    package var keepAlive: KeepAlive?
    /// Time after which an attempt to connect is given up and made anew; nil leaves it to the
    /// kernel.
    package var connectTimeout: Duration?
    /// Time that the handshake of a new connection may take before it is closed.
    package var handshakeTimeout: Duration = .seconds(5)
    /// Pause before the first attempt to connect again.
    package var reconnectInterval: Duration = .milliseconds(50)
    /// The longest pause between attempts; each is twice the one before until then.
    package var reconnectIntervalLimit: Duration = .seconds(1)
    /// Kernel buffers in bytes; nil leaves them to the kernel, which then tunes them by itself.
    package var sendBufferBytes: Int?
    /// Kernel buffer for what comes in, in bytes; nil as above.
    package var receiveBufferBytes: Int?
    /// The name under which a ROUTER knows this socket: 1 to 255 bytes, the first not 0.
    package var identity: [UInt8]?
    /// ROUTER only: sending to nobody is an error, not silence.
    package var mandatory = true
    /// ROUTER only: a new connection takes over the identity of an older one.
    package var handover = true
    /// Unix sockets accept connections of this process's user only.
    package var sameUserOnly = true

    /// Makes options with the values that stand above.
    package init() {}

    func apply(to handle: Handle, router: Bool) throws(MessagingError) {
        try handle.set(ZMQ_SNDHWM, "SNDHWM", Int32(clamping: sendHighWater))
        try handle.set(ZMQ_RCVHWM, "RCVHWM", Int32(clamping: receiveHighWater))
        try handle.set(ZMQ_LINGER, "LINGER", linger.milliseconds)
        // What is read is checked against the limit itself.
        try handle.set(
            ZMQ_MAXMSGSIZE, "MAXMSGSIZE", Int64(maximumFrameBytes + Self.encryptionBytes))
        try handle.set(ZMQ_IMMEDIATE, "IMMEDIATE", immediate ? 1 : 0 as Int32)
        try handle.set(ZMQ_IPV6, "IPV6", ipv6 ? 1 : 0 as Int32)
        try handle.set(ZMQ_HANDSHAKE_IVL, "HANDSHAKE_IVL", handshakeTimeout.milliseconds)
        try handle.set(ZMQ_RECONNECT_IVL, "RECONNECT_IVL", reconnectInterval.milliseconds)
        try handle.set(
            ZMQ_RECONNECT_IVL_MAX, "RECONNECT_IVL_MAX", reconnectIntervalLimit.milliseconds)
        if let identity { try handle.set(ZMQ_ROUTING_ID, "ROUTING_ID", identity) }
        if let connectTimeout {
            try handle.set(ZMQ_CONNECT_TIMEOUT, "CONNECT_TIMEOUT", connectTimeout.milliseconds)
        }
        if let sendBufferBytes {
            try handle.set(ZMQ_SNDBUF, "SNDBUF", Int32(clamping: sendBufferBytes))
        }
        if let receiveBufferBytes {
            try handle.set(ZMQ_RCVBUF, "RCVBUF", Int32(clamping: receiveBufferBytes))
        }
        if sameUserOnly {
            try handle.set(ZMQ_IPC_FILTER_UID, "IPC_FILTER_UID", Int32(bitPattern: geteuid()))
        }
        try applyLiveness(to: handle)
        try security.apply(to: handle)
        if router {
            try handle.set(ZMQ_ROUTER_MANDATORY, "ROUTER_MANDATORY", mandatory ? 1 : 0 as Int32)
            try handle.set(ZMQ_ROUTER_HANDOVER, "ROUTER_HANDOVER", handover ? 1 : 0 as Int32)
        }
    }

    private func applyLiveness(to handle: Handle) throws(MessagingError) {
        if let heartbeat {
            try handle.set(ZMQ_HEARTBEAT_IVL, "HEARTBEAT_IVL", heartbeat.interval.milliseconds)
            try handle.set(
                ZMQ_HEARTBEAT_TIMEOUT, "HEARTBEAT_TIMEOUT", heartbeat.timeout.milliseconds)
            try handle.set(ZMQ_HEARTBEAT_TTL, "HEARTBEAT_TTL", heartbeat.timeToLive.milliseconds)
        }
        if let keepAlive {
            try handle.set(ZMQ_TCP_KEEPALIVE, "TCP_KEEPALIVE", 1 as Int32)
            try handle.set(
                ZMQ_TCP_KEEPALIVE_IDLE, "TCP_KEEPALIVE_IDLE", keepAlive.idle.wholeSeconds)
            try handle.set(
                ZMQ_TCP_KEEPALIVE_INTVL, "TCP_KEEPALIVE_INTVL", keepAlive.interval.wholeSeconds)
            try handle.set(
                ZMQ_TCP_KEEPALIVE_CNT, "TCP_KEEPALIVE_CNT", Int32(clamping: keepAlive.probes))
        }
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

    var wholeSeconds: Int32 { max(1, Int32(clamping: components.seconds)) }
}
