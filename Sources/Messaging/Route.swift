import CLinux
import Glibc

/// Finds out by which of its addresses this host meets others.
package enum Route {
    /// The address of this host that packets to `address` bear; nil without a route to it.
    ///
    /// Asks the kernel's routing table through a datagram socket: nothing is sent.
    package static func source(towards address: IPAddress) -> IPAddress? {
        let family = address.family == .v4 ? AF_INET : AF_INET6
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // Any port does, but 0 means no destination at all.
        let isConnected = address.withSocketAddress(port: 9) { connect(descriptor, $0, $1) == 0 }
        return isConnected == true ? source(ofConnection: descriptor) : nil
    }

    /// The address of this host that a connection is bound to.
    package static func source(ofConnection descriptor: Int32) -> IPAddress? {
        IPAddress(of: descriptor, by: { getsockname($0, $1, $2) })
    }

    /// The addresses of an interface that is up; of all of them without a name. Those that mean
    /// something everywhere come first.
    package static func addresses(ofInterface name: String? = nil) -> [IPAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var result: [IPAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr,
                entry.pointee.ifa_flags & UInt32(IFF_UP) != 0,
                name == nil || name == String(cString: entry.pointee.ifa_name),
                let found = IPAddress(address, size(of: address))
            else { continue }
            result.append(found)
        }
        return result.filter { !$0.isLinkLocal } + result.filter(\.isLinkLocal)
    }

    /// Names of all interfaces, in alphabetical order.
    package static var interfaces: [String] {
        guard let list = if_nameindex() else { return [] }
        defer { if_freenameindex(list) }
        var names: [String] = []
        var next = list
        while let name = next.pointee.if_name {
            names.append(String(cString: name))
            next += 1
        }
        return names.sorted()
    }

    private static func size(of address: UnsafePointer<sockaddr>) -> socklen_t {
        let isV4 = Int32(address.pointee.sa_family) == AF_INET
        return socklen_t(isV4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
    }

    /// An address by which other hosts may find this one, of one family or of any: that of the
    /// default route, else the first that is not loopback.
    package static func likelySource(_ family: IPAddress.Family? = nil) -> IPAddress? {
        // Addresses of documentation (RFC 5737, RFC 3849): only the way towards them is asked for.
        for text in ["192.0.2.1", "2001:db8::1"] {
            if let address = IPAddress(text), family == nil || family == address.family,
                let source = source(towards: address), !source.isLoopback
            {
                return source
            }
        }
        return addresses().first { !$0.isLoopback && (family == nil || $0.family == family) }
    }

    // MARK: Which address answers

    /// Milliseconds that the next address waits for the one before (RFC 8305 calls for about 250).
    private static let headStart = 200

    /// The first of several addresses at which somebody accepts a connection; nil if none does in
    /// `milliseconds`. The connection is closed at once.
    package static func firstToAnswer(
        _ addresses: [IPAddress], port: Int, milliseconds: Int
    ) -> IPAddress? {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        var waiting = addresses[...]
        var attempts: [(address: IPAddress, stream: Stream)] = []
        while ContinuousClock.now < end, !waiting.isEmpty || !attempts.isEmpty {
            if let address = waiting.popFirst(),
                let stream = try? Stream(connecting: address.place(port: port))
            {
                attempts.append((address, stream))
            }
            let left = Int32(ContinuousClock.now.duration(to: end).milliseconds)
            let pause = waiting.isEmpty ? left : min(left, Int32(headStart))
            var events = attempts.map {
                pollfd(fd: $0.stream.descriptor, events: Int16(POLLOUT), revents: 0)
            }
            guard poll(&events, nfds_t(events.count), pause) > 0 else { continue }
            for (index, event) in events.enumerated().reversed() where event.revents != 0 {
                let attempt = attempts[index]
                if (try? attempt.stream.isConnected()) == true { return attempt.address }
                attempts.remove(at: index)
            }
        }
        return nil
    }
}
