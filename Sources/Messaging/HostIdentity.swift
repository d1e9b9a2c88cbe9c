import Glibc

/// The host that a process runs on, as far as unix sockets and loopback are concerned.
///
/// Two processes are on the same host when boot, network namespace and host name agree.
package struct HostIdentity: Hashable, Sendable, Codable {
    /// `/proc/sys/kernel/random/boot_id`, empty where there is none.
    package var boot: String
    /// Inode of the network namespace.
    package var network: UInt64
    /// The host name, as `gethostname` tells it.
    package var name: String

    /// Makes an identity of its parts.
    package init(boot: String, network: UInt64, name: String) {
        self.boot = boot
        self.network = network
        self.name = name
    }

    /// All three in one text: `boot network name`.
    package var key: String { "\(boot) \(network) \(name)" }

    /// Reads `key`; any other text is a host of its own.
    package init(key: String) {
        let parts = key.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        if parts.count == 3, let network = UInt64(parts[1]) {
            self.init(boot: String(parts[0]), network: network, name: String(parts[2]))
        } else {
            self.init(boot: key, network: 0, name: "")
        }
    }

    /// The host of this process.
    package static func current() -> HostIdentity {
        var status = stat()
        let network = stat("/proc/self/ns/net", &status) == 0 ? UInt64(status.st_ino) : 0
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        return HostIdentity(
            boot: firstLine("/proc/sys/kernel/random/boot_id"), network: network,
            name: String(
                decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    private static func firstLine(_ path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var line = [UInt8](repeating: 0, count: 128)
        let count = fread(&line, 1, line.count, file)
        return String(decoding: line[..<count].prefix { $0 != 10 }, as: UTF8.self)
    }
}
