import Glibc

/// A plain tcp connection over loopback, for measuring what the kernel can do beside libzmq.
package final class PlainStream: Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    private static func socket() throws(MessagingError) -> PlainStream {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw .system(call: "socket", code: errno) }
        let stream = PlainStream(descriptor: descriptor)
        // Nobody waits for ever for a peer that is gone.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(
                descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        return stream
    }

    private static func withAddress<R>(
        port: Int, _ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> R
    ) -> R {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
    }

    /// Listens on a free loopback port.
    package static func listening() throws(MessagingError) -> (stream: PlainStream, port: Int) {
        let stream = try socket()
        let port: Int? = withAddress(port: 0) { address, length in
            guard bind(stream.descriptor, address, length) == 0,
                listen(stream.descriptor, 1) == 0,
                getsockname(stream.descriptor, address, &length) == 0
            else { return nil }
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(in_port_t(bigEndian: $0.pointee.sin_port))
            }
        }
        guard let port else { throw .system(call: "listen", code: errno) }
        return (stream, port)
    }

    /// The connection that comes in.
    package func accepted() throws(MessagingError) -> PlainStream {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else { throw .system(call: "accept", code: errno) }
        return PlainStream(descriptor: connection)
    }

    package static func connected(port: Int) throws(MessagingError) -> PlainStream {
        guard (1...65_535).contains(port) else { throw .system(call: "connect", code: EINVAL) }
        let stream = try socket()
        let code = withAddress(port: port) { connect(stream.descriptor, $0, $1) }
        guard code == 0 else { throw .system(call: "connect", code: errno) }
        return stream
    }

    // MARK: Moving bytes

    /// Sends `byteCount` bytes of no meaning, `piece` at a time.
    package func send(byteCount: Int, piece: Int) throws(MessagingError) {
        try move(byteCount, piece, call: "send") {
            Glibc.send(self.descriptor, $0, $1, Int32(MSG_NOSIGNAL))
        }
    }

    /// Receives `byteCount` bytes.
    package func receive(byteCount: Int, piece: Int) throws(MessagingError) {
        try move(byteCount, piece, call: "recv") { recv(self.descriptor, $0, $1, 0) }
    }

    private func move(
        _ byteCount: Int, _ piece: Int, call: String,
        _ body: (UnsafeMutableRawPointer, Int) -> Int
    ) throws(MessagingError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 64)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        var left = byteCount
        while left > 0 {
            let moved = body(buffer.baseAddress!, min(piece, left))
            if moved > 0 {
                left -= moved
            } else if moved == 0 || errno != EINTR {
                throw .system(call: call, code: moved == 0 ? ECONNRESET : errno)
            }
        }
    }
}
