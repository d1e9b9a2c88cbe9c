import Messaging
import Testing

private let patience = Duration.seconds(10)

/// Waits for a message, however long the machine takes within the test's patience.
private func next(_ router: borrowing RouterSocket) throws
    -> (identity: [UInt8], connection: Int32, payload: [UInt8])
{
    var poller = Poller()
    poller.add(router, for: .readable)
    let deadline = ContinuousClock.now + patience
    while true {
        if let message = try router.receive() { return message }
        try #require(try poller.wait(until: deadline))
    }
}

private func next(_ dealer: borrowing DealerSocket) throws -> [UInt8] {
    var poller = Poller()
    poller.add(dealer, for: .readable)
    let deadline = ContinuousClock.now + patience
    while true {
        if let message = try dealer.receive() { return message }
        try #require(try poller.wait(until: deadline))
    }
}

private func next(
    _ monitor: borrowing SocketMonitor, _ kind: ConnectionEvent.Kind
) throws -> ConnectionEvent {
    var poller = Poller()
    poller.add(monitor)
    let deadline = ContinuousClock.now + patience
    while true {
        if let event = try monitor.receive() {
            if event.kind == kind { return event }
        } else {
            try #require(try poller.wait(until: deadline))
        }
    }
}

private func dealer(_ context: Context, named name: String) throws -> DealerSocket {
    var options = SocketOptions()
    options.identity = Array(name.utf8)
    return try DealerSocket(context, options)
}

private func uniqueName() -> String {
    "ipc://@dtrain-test-\(UInt64.random(in: 0 ... .max))"
}

@Suite struct SocketTests {
    @Test(arguments: ["tcp", "ipc"])
    func `a message goes there and its answer back`(transport: String) throws {
        let context = try Context()
        let router = try RouterSocket(context)
        let endpoint = try router.bind(transport == "tcp" ? "tcp://127.0.0.1:*" : uniqueName())
        #expect(!endpoint.hasSuffix("*"))
        let dealer = try dealer(context, named: "anne")
        try dealer.connect(endpoint)
        try dealer.send([1, 2, 3], until: .now + patience)
        let message = try next(router)
        #expect(message.identity == Array("anne".utf8))
        #expect(message.payload == [1, 2, 3])
        #expect(message.connection >= 0)
        try router.send(to: message.identity, [])
        #expect(try next(dealer) == [])
        #expect(try router.receive() == nil)
    }

    @Test(arguments: ["tcp", "ipc"])
    func `a broken connection is the one its messages came over`(transport: String) throws {
        let context = try Context()
        let router = try RouterSocket(context)
        let monitor = try SocketMonitor(router)
        let endpoint = try router.bind(transport == "tcp" ? "tcp://127.0.0.1:*" : uniqueName())
        let first = try dealer(context, named: "first")
        try first.connect(endpoint)
        try first.send([1], until: .now + patience)
        let kept = try next(router).connection
        let lost = try {
            let second = try dealer(context, named: "second")
            try second.connect(endpoint)
            try second.send([2], until: .now + patience)
            return try next(router).connection
        }()
        #expect(try next(monitor, .disconnected).descriptor == lost)
        #expect(lost != kept)
        // The socket lets go of a peer once what it had sent is read to its end.
        let deadline = ContinuousClock.now + patience
        var answer: MessagingError?
        while answer != .unknownPeer(identity: Array("second".utf8)), .now < deadline {
            do throws(MessagingError) {
                #expect(try router.receive() == nil)
                try router.send(to: Array("second".utf8), [0])
            } catch {
                answer = error
            }
        }
        #expect(answer == .unknownPeer(identity: Array("second".utf8)))
        try router.send(to: Array("first".utf8), [9])
        #expect(try next(first) == [9])
    }

    @Test func `a port in use and a wrong endpoint are told apart`() throws {
        let context = try Context()
        let router = try RouterSocket(context)
        let endpoint = try router.bind("tcp://127.0.0.1:*")
        let other = try RouterSocket(context)
        #expect(throws: MessagingError.addressInUse(endpoint: endpoint)) {
            _ = try other.bind(endpoint)
        }
        for wrong in ["tcp://nowhere", "carrier-pigeon://x", "", "tcp://127.0.0.1:99999"] {
            let error = #expect(throws: MessagingError.self) { _ = try other.bind(wrong) }
            guard case .invalidEndpoint(wrong, _)? = error else {
                Issue.record("\(wrong): \(String(describing: error))")
                continue
            }
        }
    }

    @Test func `sending to a peer that does not read ends with would-block`() throws {
        let context = try Context()
        var options = SocketOptions()
        options.queues.send = 2
        options.queues.receive = 2
        options.buffers.send = 8192
        options.buffers.receive = 8192
        let router = try RouterSocket(context, options)
        let endpoint = try router.bind("tcp://127.0.0.1:*")
        options.identity = [7]
        let dealer = try DealerSocket(context, options)
        try dealer.connect(endpoint)
        try dealer.send([1], until: .now + patience)
        let peer = try next(router).identity
        let payload = [UInt8](repeating: 5, count: 1 << 20)
        #expect(throws: MessagingError.wouldBlock) {
            for _ in 0..<1000 { try router.send(to: peer, payload) }
        }
        #expect(throws: MessagingError.wouldBlock) {
            for _ in 0..<1000 { try dealer.send(payload, until: .now + .milliseconds(1)) }
        }
    }

    @Test func `nobody there means not sent, within the deadline`() throws {
        let context = try Context()
        let dealer = try dealer(context, named: "lonely")
        try dealer.connect("tcp://127.0.0.1:1")
        #expect(try dealer.send([1]) == false)
        #expect(throws: MessagingError.wouldBlock) {
            try dealer.send([1], until: .now + .milliseconds(20))
        }
    }

    @Test func `too many frames are dropped whole and the next message is heard`() throws {
        let context = try Context()
        let router = try RouterSocket(context)
        let endpoint = try router.bind(uniqueName())
        var options = SocketOptions()
        options.identity = [9]
        options.limits.frames = 3
        options.limits.messageBytes = 8
        let dealer = try DealerSocket(context, options)
        try dealer.connect(endpoint)
        try dealer.send([1], until: .now + patience)
        let peer = try next(router).identity
        try router.send(to: peer, frames: [[1], [2], [3], [4], [5], [6]])
        try router.send(to: peer, frames: [[1], [0, 1, 2, 3, 4, 5, 6, 7], [3]])
        try router.send(to: peer, frames: [[1], [2]])
        var poller = Poller()
        poller.add(dealer, for: .readable)
        try #require(try poller.wait(until: .now + patience))
        #expect(throws: MessagingError.tooManyFrames(limit: 3)) { try dealer.receiveFrames() }
        try #require(try poller.wait(until: .now + patience))
        #expect(throws: MessagingError.tooManyBytes(limit: 8)) { try dealer.receiveFrames() }
        try #require(try poller.wait(until: .now + patience))
        #expect(try dealer.receiveFrames() == [[1], [2]])
    }

    @Test func `a frame received is changed in place and sent on without a copy`() throws {
        let context = try Context()
        let router = try RouterSocket(context)
        let endpoint = try router.bind(uniqueName())
        let dealer = try dealer(context, named: "x")
        try dealer.connect(endpoint)
        try dealer.send([UInt8](repeating: 1, count: 300_000), until: .now + patience)
        var poller = Poller()
        poller.add(router, for: .readable)
        try #require(try poller.wait(until: .now + patience))
        let identity = Message()
        let payload = Message()
        #expect(try router.receive(identity: identity, payload: payload))
        payload.withMutableBytes { $0[299_999] = 2 }
        try router.send(to: identity.bytes, payload)
        #expect(payload.count == 0)
        let answer = try next(dealer)
        #expect(answer.count == 300_000 && answer.last == 2 && answer.first == 1)
    }
}
