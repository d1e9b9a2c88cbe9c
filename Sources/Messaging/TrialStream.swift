import CLinux
import Glibc

/// A tcp connection of a link's trial; every wait has a limit.
struct TrialStream: ~Copyable {
    private let descriptor: Int32

    /// Seconds that a piece may take to move.
    private static let patience = 10

    init(accepted descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        prepare()
    }

    init(to address: IPAddress, port: Int, patience: Duration) throws(LinkTrial.Failure) {
        let descriptor = try Self.connected(address, port, patience)
        self.init(accepted: descriptor)
    }

    deinit { close(descriptor) }

    private static func connected(
        _ address: IPAddress, _ port: Int, _ patience: Duration
    ) throws(LinkTrial.Failure) -> Int32 {
        let family = address.family == .v4 ? AF_INET : AF_INET6
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw LinkTrial.Failure(code: errno) }
        let code = address.withSocketAddress(port: port) {
            connect(descriptor, $0, $1) == 0 ? 0 : errno
        }
        let reason = code == EINPROGRESS ? outcome(descriptor, patience) : code ?? EINVAL
        guard reason == 0 else {
            close(descriptor)
            throw LinkTrial.Failure(code: reason)
        }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        return descriptor
    }

    /// What became of a connection that is being made.
    private static func outcome(_ descriptor: Int32, _ patience: Duration) -> Int32 {
        var event = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&event, 1, patience.milliseconds) > 0 else { return ETIMEDOUT }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else { return errno }
        return code
    }

    private func prepare() {
        var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(
                descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var yes: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes,
            socklen_t(MemoryLayout<Int32>.size))
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
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let code = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        // The port stands at the same place for both families.
        return code == 0 ? Int(in_port_t(bigEndian: storage.sin6_port)) : 0
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
