import CLinux  // Whichever of the two is read first owns the constants of <sys/socket.h>.
import Glibc

/// A connection of the kernel's own, tcp or unix, that never blocks: bytes both ways, in order.
///
/// It says nothing about who is at the other end.
package final class Stream: Sendable {
    /// The kernel's number for the connection; closed with the object.
    package let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var one: Int32 = 1
        // Fails for a unix socket, which delays nothing anyway.
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    }

    deinit { close(descriptor) }

    /// Begins to connect; `isConnected` says when it has come about.
    package init(connecting place: StreamPlace) throws(MessagingError) {
        let address = try SocketAddress(place)
        descriptor = try address.socket()
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        let code = address.with { connect(descriptor, $0, $1) }
        guard code == 0 || errno == EINPROGRESS else {
            throw .system(call: "connect", code: errno)
        }
    }

    /// The next connection to a socket that listens and does not block; nil if none has come.
    static func accepted(by listener: Int32) throws(MessagingError) -> Stream? {
        while true {
            let connection = accept(listener, nil, nil)
            if connection >= 0 {
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                _ = fcntl(connection, F_SETFL, fcntl(connection, F_GETFL) | O_NONBLOCK)
                return Stream(descriptor: connection)
            }
            if errno == EAGAIN { return nil }
            guard errno == EINTR || errno == ECONNABORTED else {
                throw .system(call: "accept", code: errno)
            }
        }
    }

    /// Whether the connection that `init(connecting:)` began stands.
    ///
    /// - Throws: why it never will.
    package func isConnected() throws(MessagingError) -> Bool {
        var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&item, 1, 0) > 0 else { return false }
        var code: Int32 = 0
        var length = socklen_t(4)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { throw .system(call: "connect", code: code) }
        return item.revents & Int16(POLLOUT) != 0
    }

    // MARK: Moving bytes

    /// Fills the parts one after the other with what is there.
    ///
    /// - Returns: how many bytes came, 0 if none are there.
    /// - Throws: `.system`, ECONNRESET where the other side has closed.
    package func receive(
        into parts: UnsafeMutableBufferPointer<iovec>
    ) throws(MessagingError) -> Int {
        while true {
            let count = readv(descriptor, parts.baseAddress!, Int32(parts.count))
            if count > 0 { return count }
            if count == 0 { throw .system(call: "readv", code: ECONNRESET) }
            if errno == EAGAIN { return 0 }
            guard errno == EINTR else { throw .system(call: "readv", code: errno) }
        }
    }

    /// Hands the parts one after the other to the kernel, as far as it takes them.
    ///
    /// - Returns: how many bytes it took.
    package func send(_ parts: UnsafeMutableBufferPointer<iovec>) throws(MessagingError) -> Int {
        var message = msghdr()
        message.msg_iov = parts.baseAddress
        message.msg_iovlen = parts.count
        while true {
            let count = sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
            if count >= 0 { return count }
            if errno == EAGAIN { return 0 }
            guard errno == EINTR else { throw .system(call: "sendmsg", code: errno) }
        }
    }

    /// Returns the bytes that are there, `count` at most; none if none have come.
    package func receive(atMost count: Int) throws(MessagingError) -> [UInt8] {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, count), alignment: 1)
        defer { bytes.deallocate() }
        var part = [iovec(iov_base: bytes.baseAddress, iov_len: count)]
        let received = try Self.with(&part) { parts throws(MessagingError) in
            try receive(into: parts)
        }
        return Array(bytes[..<received])
    }

    /// Hands bytes to the kernel, and returns how many it took; 0 while its buffer is full.
    ///
    /// - Throws: `.system`, EPIPE or ECONNRESET where the other side has closed.
    package func send(_ content: [UInt8]) throws(MessagingError) -> Int {
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, content.count), alignment: 1)
        defer { bytes.deallocate() }
        bytes.copyBytes(from: content)
        var part = [iovec(iov_base: bytes.baseAddress, iov_len: content.count)]
        return try Self.with(&part) { parts throws(MessagingError) in try send(parts) }
    }

    private static func with(
        _ parts: inout [iovec],
        _ body: (UnsafeMutableBufferPointer<iovec>) throws(MessagingError) -> Int
    ) throws(MessagingError) -> Int {
        do {
            return try parts.withUnsafeMutableBufferPointer { try body($0) }
        } catch {
            throw error as! MessagingError
        }
    }
}

/// Waits at a free place for streams.
package final class StreamListener: Sendable {
    /// The listening socket; readable when a connection waits.
    package let descriptor: Int32
    /// The place to connect to. A tcp host is empty: the other side knows it already.
    package let place: StreamPlace

    /// Listens where connections come from whence `connection` came: at its own address of this
    /// host, at the first free one of some ports, or as a unix socket under an abstract name.
    package init(
        beside connection: Int32, ports: ClosedRange<Int>? = nil
    ) throws(MessagingError) {
        var address = try SocketAddress(ofThisEndOf: connection)
        if address.isUnix {
            let name = "dtrain-stream-\(getpid())-\(UInt64.random(in: 0 ... .max))"
            address = try SocketAddress(.unix(name))
            place = .unix(name)
            descriptor = try address.listen()
        } else {
            descriptor = try address.listen(at: ports ?? 0...0)
            address = try SocketAddress(ofThisEndOf: descriptor)
            place = .tcp(host: "", port: Int(address.port))
        }
    }

    deinit { close(descriptor) }

    /// The next connection, nil if none has come; unix sockets of this process's user only.
    package func accept() throws(MessagingError) -> Stream? {
        guard let stream = try Stream.accepted(by: descriptor) else { return nil }
        // One a call: the descriptor stays readable while others of another user wait.
        if case .unix = place, !isOfThisUser(stream.descriptor) { return nil }
        return stream
    }
}
