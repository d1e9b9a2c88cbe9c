import Foundation
import Glibc
import Messaging
import TestKit
import Testing

/// Two ends of a stream that stand.
private struct Ends {
    let here: Messaging.Stream
    let there: Messaging.Stream
    /// Where they met, over tcp.
    var port: Int?

    /// - Parameter family: of a socket whose address the listener takes after.
    init(_ family: Int32) throws {
        let (socket, _) = try loopbackSocket(family)
        defer { close(socket) }
        let listener = try StreamListener(beside: socket)
        try #require(try listener.accept() == nil, "nobody has come")
        let place: StreamPlace =
            if case .tcp(_, let met) = listener.place {
                .tcp(host: "127.0.0.1", port: met)
            } else {
                listener.place
            }
        if case .tcp(_, let met) = place { port = met }
        here = try Messaging.Stream(connecting: place)
        let deadline = ContinuousClock.now + .seconds(10)
        while try !here.isConnected(), ContinuousClock.now < deadline {}
        var came: Messaging.Stream?
        while came == nil, ContinuousClock.now < deadline { came = try listener.accept() }
        there = try #require(came)
    }
}

@Suite struct StreamTests {
    @Test(arguments: [AF_INET, AF_UNIX])
    func `bytes arrive in order, both ways, and an end that closes is noticed`(
        family: Int32
    ) throws {
        let here: Messaging.Stream
        do {
            let ends = try Ends(family)
            here = ends.here
            #expect(try ends.there.receive(atMost: 10).isEmpty, "nothing is there yet")
            #expect(try here.send([1, 2, 3]) == 3)
            #expect(try ends.there.send([4, 5]) == 2)
            #expect(try ends.there.receive(atMost: 2) == [1, 2])
            #expect(try ends.there.receive(atMost: 10) == [3])
            #expect(try here.receive(atMost: 10) == [4, 5])
        }
        #expect(throws: MessagingError.self) { _ = try here.receive(atMost: 1) }
    }

    @Test func `a peer that does not read stops the sender without blocking it`() throws {
        let ends = try Ends(AF_UNIX)
        let block = [UInt8](repeating: 7, count: 1 << 16)
        var sent = 0
        while true {
            let taken = try ends.here.send(block)
            guard taken > 0 else { break }
            sent += taken
            try #require(sent < 1 << 26, "the kernel takes everything")
        }
        var received = 0
        while received < sent { received += try ends.there.receive(atMost: 1 << 16).count }
        #expect(try ends.here.send([1]) == 1, "there is room again")
    }

    @Test func `a router can listen where a stream lives whose listener is gone`() throws {
        let ends = try Ends(AF_INET)
        let place = try #require(ends.port)
        let router = try RouterSocket(Context())
        #expect(try router.bind([.loopback], ports: place...place) == place)
        #expect(try ends.there.send([1]) == 1)
    }

    @Test func `where nobody listens no stream comes about`() throws {
        #expect(throws: MessagingError.self) {
            _ = try Messaging.Stream(
                connecting: .unix("dtrain-nobody-\(UInt64.random(in: 0...9999))"))
        }
        #expect(throws: MessagingError.self) {
            _ = try Messaging.Stream(connecting: .tcp(host: "no number", port: 1))
        }
    }
}
