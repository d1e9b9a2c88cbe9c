import Glibc

/// An IPv4 or IPv6 address in numbers, as `getnameinfo` writes it.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// The two kinds of addresses.
    package enum Family: Hashable, Sendable { case v4, v6 }

    /// The kind of this address.
    package let family: Family
    /// The address in text, without brackets; a link-local IPv6 address has its interface behind a
    /// `%`.
    package let description: String

    /// All IPv4 addresses of a host: `0.0.0.0`.
    package static let anyV4 = IPAddress(.v4, "0.0.0.0")
    /// All addresses of a host: `::`.
    package static let anyV6 = IPAddress(.v6, "::")
    /// This host, for itself alone: `127.0.0.1`.
    package static let loopback = IPAddress(.v4, "127.0.0.1")

    private init(_ family: Family, _ text: String) {
        self.family = family
        description = text
    }

    /// Nil for anything but an address in numbers.
    package init?(_ text: String) {
        guard let address = try? Self.lookUp(text, AI_NUMERICHOST).first else { return nil }
        self = address
    }

    /// Nil for other families. An IPv4 address that an IPv6 socket sees is taken for what it is.
    init?(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard [AF_INET, AF_INET6].contains(Int32(address.pointee.sa_family)),
            getnameinfo(address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
        else { return nil }
        let name = String(
            decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        if name.hasPrefix("::ffff:"), name.contains(".") {
            self.init(.v4, String(name.dropFirst(7)))
        } else {
            self.init(Int32(address.pointee.sa_family) == AF_INET ? .v4 : .v6, name)
        }
    }

    /// The address as it stands before the port of an endpoint.
    package var inEndpoint: String { family == .v6 ? "[\(description)]" : description }

    /// Whether the address leads back to the same host: 127.0.0.0/8 or `::1`.
    package var isLoopback: Bool {
        family == .v4 ? description.hasPrefix("127.") : description == "::1"
    }

    /// Means something on one link only, and there together with the interface.
    package var isLinkLocal: Bool {
        family == .v4 ? description.hasPrefix("169.254.") : description.hasPrefix("fe80:")
    }

    /// Stands for all addresses of a host.
    package var isWildcard: Bool { self == .anyV4 || self == .anyV6 }

    // MARK: Names

    /// The addresses that a name leads to, in the system's order of preference.
    ///
    /// It may take as long as the system's resolver does.
    /// - Throws: `MessagingError.unknownHost`.
    package static func addresses(of host: String) throws(MessagingError) -> [IPAddress] {
        try lookUp(host, AI_ADDRCONFIG)
    }

    private static func lookUp(
        _ host: String, _ flags: Int32
    ) throws(MessagingError) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        var code = getaddrinfo(host, nil, &hints, &list)
        if code != 0, flags == AI_ADDRCONFIG {
            // A host without any network but loopback.
            hints.ai_flags = 0
            code = getaddrinfo(host, nil, &hints, &list)
        }
        guard code == 0 else {
            throw .unknownHost(host, reason: String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(list) }
        var result: [IPAddress] = []
        var next = list
        while let entry = next {
            let address = IPAddress(entry.pointee.ai_addr, entry.pointee.ai_addrlen)
            if let address, !result.contains(address) { result.append(address) }
            next = entry.pointee.ai_next
        }
        return result
    }

    /// Nil if the body could not be given a socket address.
    func withSocketAddress<R>(
        port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
    ) -> R? {
        (try? SocketAddress(place(port: port)))?.with(body)
    }

    func place(port: Int) -> StreamPlace { .tcp(host: description, port: port) }

    /// The address at either end of a connection, as `getsockname` or `getpeername` tells it; nil
    /// for other families and for one that is gone.
    init?(
        of descriptor: Int32,
        by ask: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let found = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                ask(descriptor, address, &length) == 0 ? IPAddress(address, length) : nil
            }
        }
        guard let found else { return nil }
        self = found
    }
}
