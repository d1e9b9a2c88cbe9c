import Foundation
import Messaging
import Testing

private let patience = Duration.seconds(10)

/// A listening socket behind a gate, in a context of its own.
private final class House {
    let context: Context
    let gate: Gate
    let guests: GuestList
    let keys: KeyPair
    let router: RouterSocket
    let monitor: SocketMonitor
    let endpoint: String
    var unproven = Connections()

    init(patience: Duration = .zero) throws {
        context = try Context()
        gate = try Gate(context)
        guests = GuestList(patience: patience)
        keys = try KeyPair.random()
        var options = SocketOptions()
        options.security = .server(keys, gate.open(for: guests))
        options.waits.handshake = .seconds(2)
        router = try RouterSocket(context, options)
        monitor = try SocketMonitor(router)
        endpoint = try router.bind("tcp://127.0.0.1:*")
    }

    func next() throws -> (sender: RouterSocket.Sender, payload: [UInt8]) {
        try wait {
            guard let message = try router.receiveKnown() else { return nil }
            unproven.heard(from: message.sender.connection)
            return message
        }
    }

    func failure() throws -> HandshakeFailure {
        try wait { try takeEvents() }
    }

    func takeEvents() throws -> HandshakeFailure? {
        while let event = try monitor.receive() {
            if let reason = unproven.note(event) { return reason }
        }
        return nil
    }

    func wait<Value>(for find: () throws -> Value?) throws -> Value {
        let deadline = ContinuousClock.now + patience
        while true {
            if let value = try find() { return value }
            var poller = Poller()
            poller.add(router, for: .readable)
            poller.add(monitor)
            try #require(try poller.wait(until: deadline))
        }
    }
}

/// Somebody who comes to a house from a context of his own.
private final class Visitor {
    let socket: DealerSocket
    let monitor: SocketMonitor

    init(to house: House, _ security: SocketOptions.Security) throws {
        let context = try Context()
        var options = SocketOptions()
        options.security = security
        options.queues.immediate = false
        socket = try DealerSocket(context, options)
        monitor = try SocketMonitor(socket)
        try socket.connect(house.endpoint)
        #expect(try socket.send(Array("hello".utf8)))
    }

    func failure() throws -> HandshakeFailure {
        let deadline = ContinuousClock.now + patience
        while true {
            if let event = try monitor.receive() {
                if case .handshakeFailed(let reason) = event.kind { return reason }
                continue
            }
            var poller = Poller()
            poller.add(monitor)
            try #require(try poller.wait(until: deadline))
        }
    }
}

@Suite struct GateTests {
    @Test func `who is on the list comes in, and every message says who it is from`() throws {
        let house = try House()
        let own = try KeyPair.random()
        house.guests.insert(own.publicKey)
        let visitor = try Visitor(to: house, .client(own, server: house.keys.publicKey))
        let (sender, payload) = try house.next()
        #expect(sender.key == own.publicKey && payload == Array("hello".utf8))
        try house.router.send(to: sender.identity, [7])
        var poller = Poller()
        poller.add(visitor.socket, for: .readable)
        #expect(try poller.wait(until: .now + patience))
        #expect(try visitor.socket.receive() == [7])
    }

    @Test func `who is not is refused, is told so, and is remembered with his address`() throws {
        let house = try House()
        let stranger = try KeyPair.random()
        let visitor = try Visitor(to: house, .client(stranger, server: house.keys.publicKey))
        #expect(try house.failure() == .refused)
        #expect(try visitor.failure() == .refused)
        #expect(
            house.guests.takeStrangers()
                == [.init(address: "127.0.0.1", key: stranger.publicKey)])
        #expect(house.guests.takeStrangers() == [])
        #expect(try house.router.receive() == nil)
    }

    @Test func `without a gate nobody comes in, known or not`() throws {
        let house = try House()
        let own = try KeyPair.random()
        house.guests.insert(own.publicKey)
        house.gate.stop()
        let visitor = try Visitor(to: house, .client(own, server: house.keys.publicKey))
        guard case .cutOff = try house.failure() else {
            Issue.record("not cut off")
            return
        }
        guard case .cutOff = try visitor.failure() else {
            Issue.record("not cut off")
            return
        }
        #expect(try house.router.receive() == nil)
    }

    @Test func `a context has one gate`() throws {
        let house = try House()
        #expect(throws: MessagingError.self) { _ = try Gate(house.context) }
    }

    @Test func `who is put on the list while he waits comes in`() throws {
        let house = try House(patience: .seconds(20))
        let own = try KeyPair.random()
        let visitor = try Visitor(to: house, .client(own, server: house.keys.publicKey))
        // The connection is there before the name is.
        _ = try house.wait {
            _ = try house.takeEvents()
            return house.unproven.count == 1 ? true : nil
        }
        house.guests.replace(with: [own.publicKey])
        #expect(try house.next().sender.key == own.publicKey)
        withExtendedLifetime(visitor) {}
    }

    @Test func `who takes the house for another is refused`() throws {
        let house = try House()
        let own = try KeyPair.random()
        house.guests.insert(own.publicKey)
        let other = try KeyPair.random().publicKey
        let visitor = try Visitor(to: house, .client(own, server: other))
        #expect(try house.failure() == .otherKey)
        guard case .cutOff = try visitor.failure() else {
            Issue.record("not cut off")
            return
        }
    }

    @Test func `plain text and encryption do not meet`() throws {
        let house = try House()
        let visitor = try Visitor(to: house, .plain)
        _ = try house.failure()
        _ = try visitor.failure()
        #expect(try house.router.receive() == nil)
    }

    @Test func `a thousand who say nothing keep nobody out and cost few descriptors`() throws {
        let house = try House()
        var strangers: [Int32] = []
        defer { for descriptor in strangers { close(descriptor) } }
        let port = UInt16(house.endpoint.split(separator: ":").last!)!
        for _ in 0..<1000 {
            strangers.append(try connection(to: port))
            _ = try house.takeEvents()
            #expect(house.unproven.count <= 64)
        }
        let own = try KeyPair.random()
        house.guests.insert(own.publicKey)
        let visitor = try Visitor(to: house, .client(own, server: house.keys.publicKey))
        #expect(
            try house.wait {
                _ = try house.takeEvents()
                return try house.router.receiveKnown()?.sender.key
            } == own.publicKey)
        withExtendedLifetime(visitor) {}
    }

    @Test func `half a handshake and garbage are cut off`() throws {
        let house = try House()
        let port = UInt16(house.endpoint.split(separator: ":").last!)!
        let greeting: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 3]
        for bytes in [[], [0xFF], greeting, Array(repeating: 0x41, count: 70_000)] {
            let descriptor = try connection(to: port)
            defer { close(descriptor) }
            _ = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            _ = try house.failure()
        }
        #expect(try house.router.receive() == nil)
    }

    private func connection(to port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(code == 0, "errno \(errno)")
        return descriptor
    }

    @Test func `keys read back, and a pair shows its public half alone`() throws {
        let pair = try KeyPair.random()
        #expect(try KeyPair(secret: pair.secret) == pair)
        #expect(PublicKey(hexadecimal: pair.publicKey.description) == pair.publicKey)
        #expect(PublicKey(hexadecimal: "ab") == nil && PublicKey([1, 2]) == nil)
        #expect(
            PublicKey(hexadecimal: String(repeating: "x", count: 64)) == nil)
        #expect(try KeyPair(secret: [1]) == nil)
        var dumped = ""
        dump(pair, to: &dumped)
        let secret = "\(PublicKey(pair.secret)!)"
        for text in ["\(pair)", String(reflecting: pair), dumped] {
            #expect(!text.contains(secret) && !text.contains("\(pair.secret)"), "\(text)")
        }
    }
}
