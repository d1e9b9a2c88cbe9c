import Foundation
import Synchronization

/// Passes bytes between whoever connects and a tcp port of this machine, and keeps them all.
final class Wiretap: Sendable {
    /// What was sent over one connection.
    struct Recording: Sendable {
        var sent: [UInt8] = []
        var answered: [UInt8] = []
    }

    let port: UInt16
    private let listener: Int32
    private let recordings = Mutex<[Recording]>([])
    private let target: UInt16

    /// Listens at `host`, an address of loopback: at a free port, or at one that is free there.
    ///
    /// - Parameter isDeaf: whether connections lead nowhere.
    init(
        to target: UInt16, host: UInt32 = 0x7F00_0001, port: UInt16 = 0, isDeaf: Bool = false
    ) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(host, port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard code else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        self.target = target
        self.listener = listener
        self.port = UInt16(bigEndian: address.sin_port)
        start { [self] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                Self.hurry(client)
                if isDeaf {
                    recordings.withLock { $0.append(Recording()) }
                } else {
                    serve(client)
                }
            }
        }
    }

    /// Ends listening; connections that stand go on.
    func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    var all: [Recording] { recordings.withLock { $0 } }

    /// All bytes that have passed.
    var bytes: [UInt8] { all.flatMap { $0.sent + $0.answered } }

    /// A plain connection to a port of this machine.
    static func connect(to port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = address(0x7F00_0001, port)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        hurry(descriptor)
        return descriptor
    }

    /// Passes small messages on at once: else each waits 40 ms for the acknowledgement of the last.
    private static func hurry(_ connection: Int32) {
        var one: Int32 = 1
        setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    }

    private static func address(_ host: UInt32, _ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        return address
    }

    private func serve(_ client: Int32) {
        guard let server = try? Self.connect(to: target) else {
            Glibc.close(client)
            return
        }
        let index = recordings.withLock { list in
            list.append(Recording())
            return list.count - 1
        }
        start { [self] in
            pump(client, server) { bytes in
                recordings.withLock { $0[index].sent.append(contentsOf: bytes) }
            }
        }
        start { [self] in
            pump(server, client) { bytes in
                recordings.withLock { $0[index].answered.append(contentsOf: bytes) }
            }
        }
    }

    private func pump(_ from: Int32, _ to: Int32, _ keep: (ArraySlice<UInt8>) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = recv(from, &buffer, buffer.count, 0), count > 0 {
            keep(buffer[..<count])
            var done = 0
            while done < count {
                let more = buffer.withUnsafeBytes {
                    Glibc.send(
                        to, $0.baseAddress! + done, count - done, Int32(MSG_NOSIGNAL))
                }
                guard more > 0 else { break }
                done += more
            }
            if done < count { break }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }

    private func start(_ run: @escaping @Sendable () -> Void) {
        let thread = Thread(block: run)
        thread.stackSize = 1 << 20
        thread.start()
    }
}

extension [UInt8] {
    /// Whether `needle` occurs in it.
    func contains(_ needle: [UInt8]) -> Bool {
        Data(self).range(of: Data(needle)) != nil
    }
}
