import CLinux
import Glibc

/// A tcp connection of a link's trial; every wait has a limit.
struct TrialStream: ~Copyable {
    private let stream: Stream
    private var descriptor: Int32 { stream.descriptor }

    /// Seconds that a piece may take to move.
    private static let patience = 10

    init(accepted descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        self.init(Stream(descriptor: descriptor))
    }

    init(to address: IPAddress, port: Int, patience: Duration) throws(LinkTrial.Failure) {
        do throws(MessagingError) {
            let stream = try Stream(connecting: address.place(port: port))
            var event = pollfd(fd: stream.descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&event, 1, patience.milliseconds) > 0, try stream.isConnected() else {
                throw .system(call: "connect", code: ETIMEDOUT)
            }
            self.init(stream)
        } catch {
            guard case .system(_, let code) = error else { throw LinkTrial.Failure(code: EINVAL) }
            throw LinkTrial.Failure(code: code)
        }
    }

    /// Blocks from here on, but never for long.
    private init(_ stream: Stream) {
        self.stream = stream
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(
                descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    // MARK: Listening

    /// A descriptor that listens, -1 and errno if there is none; `[::]` is IPv4 as well.
    static func listening(_ address: IPAddress, _ port: Int) -> Int32 {
        let family = address.family == .v4 ? AF_INET : AF_INET6
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind | Int32(SOCK_NONBLOCK.rawValue), 0)
        if descriptor < 0 { return address == .anyV6 ? listening(.anyV4, port) : -1 }
        for (level, option, value) in [
            (SOL_SOCKET, SO_REUSEADDR, Int32(1)),
            (Int32(IPPROTO_IPV6), IPV6_V6ONLY, address == .anyV6 ? 0 : 1),
        ] where level == SOL_SOCKET || family == AF_INET6 {
            var value = value
            setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        let isBound = address.withSocketAddress(port: port) { bind(descriptor, $0, $1) == 0 }
        if isBound == true, listen(descriptor, 8) == 0 { return descriptor }
        let code = errno
        close(descriptor)
        errno = code
        return -1
    }

    static func port(of descriptor: Int32) -> Int {
        (try? SocketAddress(ofThisEndOf: descriptor)).map { Int($0.port) } ?? 0
    }

    // MARK: Moving bytes

    func send<Value: FixedWidthInteger>(_ value: Value) throws(LinkTrial.Failure) {
        var value = value
        try move(&value, MemoryLayout<Value>.size, sending: true)
    }

    func receive<Value: FixedWidthInteger>(
        _ type: Value.Type
    ) throws(LinkTrial.Failure) -> Value {
        var value: Value = 0
        try move(&value, MemoryLayout<Value>.size, sending: false)
        return value
    }

    /// Moves bytes that mean nothing.
    func pass(_ count: Int, sending: Bool) throws(LinkTrial.Failure) {
        let piece = min(count, 256 << 10)
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: piece, alignment: 64)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0, count: piece)
        var left = count
        while left > 0 {
            let size = min(piece, left)
            try move(buffer, size, sending: sending)
            left -= size
        }
    }

    private func move(
        _ start: UnsafeMutableRawPointer, _ count: Int, sending: Bool
    ) throws(LinkTrial.Failure) {
        var done = 0
        while done < count {
            let moved =
                sending
                ? Glibc.send(descriptor, start + done, count - done, Int32(MSG_NOSIGNAL))
                : recv(descriptor, start + done, count - done, 0)
            if moved > 0 {
                done += moved
            } else if moved == 0 || errno != EINTR {
                throw LinkTrial.Failure(
                    code: moved == 0 ? ECONNRESET : errno == EAGAIN ? ETIMEDOUT : errno)
            }
        }
    }
}
