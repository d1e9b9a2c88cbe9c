import CLinux
import Glibc

/// A tcp connection that blocks, for measuring what the kernel can do beside libzmq; every wait has
/// a limit.
package final class PlainStream: Sendable {
    private let stream: Stream
    var descriptor: Int32 { stream.descriptor }

    /// Seconds that a piece may take to move.
    private static let patience = 10

    init(_ stream: Stream) {
        self.stream = stream
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(
                descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Connects, waiting for it for `patience` at most.
    ///
    /// - Throws: `.system`: EINVAL for a port outside 1…65535, `timedOut`, or the kernel's reason.
    package convenience init(
        to address: IPAddress, port: Int, patience: Duration = .seconds(10)
    ) throws(MessagingError) {
        guard (1...65_535).contains(port) else { throw .system(call: "connect", code: EINVAL) }
        let stream = try Stream(connecting: address.place(port: port))
        var event = pollfd(fd: stream.descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&event, 1, patience.milliseconds) > 0, try stream.isConnected() else {
            throw .system(call: "connect", code: MessagingError.timedOut)
        }
        self.init(stream)
    }

    // MARK: Moving bytes

    /// Sends a number as it lies in memory: the caller puts its bytes in order.
    ///
    /// - Throws: `.system`, ETIMEDOUT where the kernel took nothing for ten seconds.
    package func send<Value: FixedWidthInteger>(_ value: Value) throws(MessagingError) {
        var value = value
        try move(&value, MemoryLayout<Value>.size, sending: true)
    }

    func receive<Value: FixedWidthInteger>(
        _ type: Value.Type, until deadline: ContinuousClock.Instant? = nil
    ) throws(MessagingError) -> Value {
        var value: Value = 0
        try move(&value, MemoryLayout<Value>.size, sending: false, until: deadline)
        return value
    }

    /// Sends or receives bytes that mean nothing; until a deadline, if there is one.
    package func pass(
        _ count: Int, sending: Bool, until deadline: ContinuousClock.Instant? = nil
    ) throws(MessagingError) {
        let piece = min(count, 256 << 10)
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: piece, alignment: 64)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0, count: piece)
        var left = count
        while left > 0 {
            let size = min(piece, left)
            try move(buffer, size, sending: sending, until: deadline)
            left -= size
        }
    }

    private func move(
        _ start: UnsafeMutableRawPointer, _ count: Int, sending: Bool,
        until deadline: ContinuousClock.Instant? = nil
    ) throws(MessagingError) {
        var done = 0
        while done < count {
            if let deadline, ContinuousClock.now >= deadline {
                throw .system(call: sending ? "send" : "recv", code: ETIMEDOUT)
            }
            let moved =
                sending
                ? Glibc.send(descriptor, start + done, count - done, Int32(MSG_NOSIGNAL))
                : recv(descriptor, start + done, count - done, 0)
            if moved > 0 {
                done += moved
            } else if moved == 0 || errno != EINTR {
                let code = moved == 0 ? ECONNRESET : errno == EAGAIN ? ETIMEDOUT : errno
                throw .system(call: sending ? "send" : "recv", code: code)
            }
        }
    }
}

/// Waits for such connections.
package final class PlainListener: Sendable {
    let descriptor: Int32
    /// The tcp port; 0 if the kernel does not tell it.
    package let port: Int

    /// Port 0 is a free one; `[::]` is IPv4 as well.
    package init(_ address: IPAddress = .loopback, port: Int = 0) throws(MessagingError) {
        descriptor = try Self.listening(address, port)
        self.port = Int((try? SocketAddress(ofThisEndOf: descriptor))?.port ?? 0)
    }

    deinit { close(descriptor) }

    private static func listening(
        _ address: IPAddress, _ port: Int
    ) throws(MessagingError) -> Int32 {
        do throws(MessagingError) {
            return try SocketAddress(address.place(port: port)).listen { descriptor in
                set(SOL_SOCKET, SO_REUSEADDR, 1, descriptor)
                guard address.family == .v6 else { return }
                set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, address == .anyV6 ? 0 : 1, descriptor)
            }
        } catch .system("socket", let code) where address == .anyV6 && code == EAFNOSUPPORT {
            return try listening(.anyV4, port)
        }
    }

    private static func set(
        _ level: Int32, _ option: Int32, _ value: Int32, _ descriptor: Int32
    ) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// The first connection to any of several listeners.
    ///
    /// - Throws: `.system` with `timedOut` when none has come by then.
    package static func accept(
        _ listeners: [PlainListener], until deadline: ContinuousClock.Instant
    ) throws(MessagingError) -> PlainStream {
        while true {
            var events = listeners.map {
                pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0)
            }
            let left = ContinuousClock.now.duration(to: deadline).milliseconds
            guard left > 0, poll(&events, nfds_t(events.count), left) >= 0 || errno == EINTR else {
                throw .system(call: "accept", code: MessagingError.timedOut)
            }
            for event in events where event.revents != 0 {
                let connection = Glibc.accept(event.fd, nil, nil)
                guard connection >= 0 else { continue }
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                return PlainStream(Stream(descriptor: connection))
            }
        }
    }
}
