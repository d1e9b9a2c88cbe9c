import Glibc
import Settings

/// Where the page listens.
package struct PageAddress: Equatable, Sendable {
    /// A numeric address, without brackets.
    package var host: String
    /// 0 takes a free one.
    package var port: Int

    /// Where it listens unless told otherwise.
    package static let standard = PageAddress(host: "127.0.0.1", port: 8080)

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `PORT`, `HOST:PORT` or `[::1]:PORT`; nil for anything else. A name other than `localhost`
    /// is not taken: an address says which network it opens.
    package init?(_ text: String) {
        if text.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(text), port <= 65_535 {
            self.init(host: Self.standard.host, port: port)
            return
        }
        guard let address = Address("tcp://" + text) else { return nil }
        let host = address.host == "localhost" ? Self.standard.host : address.host
        var four = in_addr()
        var six = in6_addr()
        guard inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1 else {
            return nil
        }
        self.init(host: host, port: address.port)
    }

    /// Whether it reaches this machine only.
    package var isLoopback: Bool { Address(host: host, port: port).isLoopback }

    /// As it is typed.
    package var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The page's link without its token.
    package var link: String { "http://\(text)/" }
}
