/// The address at which a coordinator listens: `tcp://HOST:PORT`. The host is a name, an IPv4
/// address or an IPv6 address in brackets; port 0 takes a free one.
package struct Address: Codable, Hashable, Sendable, CustomStringConvertible {
    /// The name or address of the host, without brackets.
    package let host: String
    /// The TCP port, 0 to 65,535.
    package let port: Int

    /// Makes an address of its parts, unchecked; `init(_:)` checks a text.
    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads an address; nil unless `text` has that form.
    package init?(_ text: String) {
        guard text.hasPrefix("tcp://"), let colon = text.lastIndex(of: ":") else { return nil }
        let start = text.index(text.startIndex, offsetBy: 6)
        let digits = text[text.index(after: colon)...]
        guard start < colon, (1...5).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let port = Int(digits), port <= 65_535
        else { return nil }
        var host = String(text[start..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        let allowed = host.unicodeScalars.allSatisfy {
            $0.isASCII
                && ($0.properties.isAlphabetic || ("0"..."9").contains($0)
                    || ".-_:%".unicodeScalars.contains($0))
        }
        guard allowed, !host.isEmpty else { return nil }
        self.init(host: host, port: port)
    }

    /// The address as it is typed, with brackets around an IPv6 host.
    package var description: String {
        host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
    }

    /// Whether the address reaches this machine only.
    package var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return octets.count == 4 && octets.allSatisfy { $0 != nil } && octets[0] == 127
    }
}

extension Address {
    /// The address at which a coordinator listens unless told otherwise.
    package static let standard = Address(host: "127.0.0.1", port: 5555)
}
