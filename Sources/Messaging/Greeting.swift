import Glibc

/// The first words of a service that listens, heard over plain tcp.
///
/// A ZMTP peer sends the first bytes of its greeting unasked: 0xFF, eight more, 0x7F (ZMTP 3.1).
/// A service that says nothing is asked as a web server would be; most answer in their own way.
package enum Greeting: Hashable, Sendable {
    /// It may well be a coordinator.
    case zmtp
    /// It is something else, and begins with these words.
    case foreign(String)
    /// It has accepted the connection and said nothing, or closed it.
    case nothing
    /// Nobody listens.
    case nobody

    /// Time that each of the two waits may take.
    private static let patience = Duration.milliseconds(600)

    /// Asks the service at `port`; takes two seconds at most.
    package init(of address: IPAddress, port: Int) {
        guard
            let stream = try? PlainStream(
                to: address, port: port, patience: Self.patience)
        else {
            self = .nobody
            return
        }
        let unasked = stream.hear(for: Self.patience)
        if !unasked.isEmpty {
            self = Self.kind(of: unasked)
            return
        }
        stream.say("GET / HTTP/1.0\r\n\r\n")
        let asked = stream.hear(for: Self.patience)
        self = asked.isEmpty ? .nothing : Self.kind(of: asked)
    }

    /// Tells by its first bytes what a service is.
    static func kind(of bytes: [UInt8]) -> Greeting {
        if bytes[0] == 0xFF, bytes.count < 10 || bytes[9] & 1 == 1 { return .zmtp }
        let words = bytes.prefix { $0 != 10 && $0 != 13 }.prefix(40)
        let isText = !words.isEmpty && words.allSatisfy { (0x20..<0x7F).contains($0) }
        return .foreign(isText ? String(decoding: words, as: UTF8.self) : "")
    }
}

extension PlainStream {
    /// The first bytes that come; none when the time is up or the other end has closed.
    fileprivate func hear(for patience: Duration) -> [UInt8] {
        var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&event, 1, patience.milliseconds) > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return Array(buffer.prefix(max(0, count)))
    }

    /// Sends what fits.
    fileprivate func say(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
    }
}
