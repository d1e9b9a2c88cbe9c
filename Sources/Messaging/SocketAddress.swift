import CLinux
import Glibc

/// A place at which a stream can be reached.
package enum StreamPlace: Hashable, Sendable {
    /// A host in numbers, of either family.
    case tcp(host: String, port: Int)
    /// A unix socket under an abstract name: nothing in the file system.
    case unix(String)
}

/// An address as the kernel takes it.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

    /// - Throws: `.invalidEndpoint` for a host that is not in numbers, or a name that is too long.
    init(_ place: StreamPlace) throws(MessagingError) {
        switch place {
        case .unix(let name): try setName(Array(name.utf8))
        case .tcp(let host, let port):
            var hints = addrinfo()
            hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var found: UnsafeMutablePointer<addrinfo>?
            guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let found else {
                throw .invalidEndpoint("\(host):\(port)", code: EINVAL)
            }
            defer { freeaddrinfo(found) }
            length = found.pointee.ai_addrlen
            withUnsafeMutableBytes(of: &storage) { bytes in
                bytes.copyMemory(
                    from: UnsafeRawBufferPointer(
                        start: found.pointee.ai_addr, count: Int(length)))
            }
        }
    }

    /// The address that a socket is bound to.
    init(ofThisEndOf descriptor: Int32) throws(MessagingError) {
        let code = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        guard code == 0 else { throw .system(call: "getsockname", code: errno) }
    }

    private mutating func setName(_ name: [UInt8]) throws(MessagingError) {
        var address = sockaddr_un()
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .invalidEndpoint(String(decoding: name, as: UTF8.self), code: ENAMETOOLONG)
        }
        address.sun_family = sa_family_t(AF_UNIX)
        // A first byte of 0 makes the name abstract.
        withUnsafeMutableBytes(of: &address.sun_path) { $0[1...].copyBytes(from: name) }
        length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
        withUnsafeMutableBytes(of: &storage) { target in
            withUnsafeBytes(of: &address) { target.copyMemory(from: $0) }
        }
    }

    var isUnix: Bool { storage.ss_family == sa_family_t(AF_UNIX) }

    /// At the same offset in either family of tcp addresses.
    var port: UInt16 {
        get {
            withUnsafeBytes(of: storage) {
                UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self))
            }
        }
        set {
            withUnsafeMutableBytes(of: &storage) {
                $0.storeBytes(of: newValue.bigEndian, toByteOffset: 2, as: UInt16.self)
            }
        }
    }

    func with<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// A socket of this family that does not block; the caller closes it.
    func socket() throws(MessagingError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = Glibc.socket(Int32(storage.ss_family), kind, 0)
        guard descriptor >= 0 else { throw .system(call: "socket", code: errno) }
        return descriptor
    }

    /// The same at the first of these ports where nobody else listens; connections that come of it
    /// do not keep others from listening there later.
    mutating func listen(at ports: ClosedRange<Int>) throws(MessagingError) -> Int32 {
        func prepare(_ descriptor: Int32) {
            var one: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        }
        for port in ports.dropLast() {
            self.port = UInt16(port)
            if let descriptor = try? listen(prepare) { return descriptor }
        }
        port = UInt16(ports.upperBound)
        return try listen(prepare)
    }

    /// A socket that listens here; `prepare` sets its options before.
    func listen(_ prepare: (Int32) -> Void = { _ in }) throws(MessagingError) -> Int32 {
        let descriptor = try socket()
        prepare(descriptor)
        guard with({ bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, 128) == 0 else {
            let code = errno
            close(descriptor)
            throw .system(call: "bind", code: code)
        }
        return descriptor
    }
}
