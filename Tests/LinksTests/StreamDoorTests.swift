import Glibc
import Links
import Messaging
import Ring
import TestKit
import Testing
import Wire

/// A door: in plain text beside a unix socket, sealed beside tcp.
struct Doorway {
    let door: StreamDoor
    let isSealed: Bool
    private var endpoint: String { isSealed ? "tcp://127.0.0.1:1" : "ipc://x" }

    init(isSealed: Bool) throws {
        self.isSealed = isSealed
        let (socket, _) = try loopbackSocket(isSealed ? AF_INET : AF_UNIX)
        defer { close(socket) }
        door = try StreamDoor(beside: socket, isSealed: isSealed)
    }

    /// Begins to connect, with the door's own invitation or another.
    func entrance(_ invitation: [UInt8]? = nil) throws -> StreamEntrance {
        try StreamEntrance(
            invitation ?? door.invitation, endpoint, isSealed: isSealed,
            deadline: .now + .seconds(10))
    }

    /// Both sides go on until they have met.
    func meet(_ entrance: StreamEntrance) throws -> StreamDoor.Guest {
        var guest: StreamDoor.Guest?
        var passed = false
        while guest == nil || !passed, ContinuousClock.now < entrance.deadline {
            if !passed { passed = try entrance.pass() }
            if guest == nil { guest = try door.answer().guest }
        }
        try #require(passed)
        return try #require(guest)
    }
}

@Suite struct StreamDoorTests {
    /// Goes on until it is refused.
    private func expectRefusal(_ entrance: StreamEntrance) {
        #expect(throws: MessagingError.self) {
            while ContinuousClock.now < entrance.deadline { try #require(try !entrance.pass()) }
        }
    }

    @Test(arguments: [false, true])
    func `only who knows the secret comes in, whoever else knocks`(isSealed: Bool) throws {
        let doorway = try Doorway(isSealed: isSealed)
        var strangers: [StreamEntrance] = []
        for stranger in 0..<9 {
            var invitation = doorway.door.invitation
            invitation[invitation.count - 1 - stranger] ^= 1
            let entrance = try doorway.entrance(invitation)
            // Every other one says nothing at all.
            if stranger % 2 == 0 { #expect(try !entrance.pass()) }
            strangers.append(entrance)
            #expect(try doorway.door.answer().guest == nil)
        }
        let guest = try doorway.meet(doorway.entrance())
        #expect((guest.seals != nil) == isSealed)
        expectRefusal(strangers[0])
    }

    @Test func `who has greeted comes in, though strangers have come since`() throws {
        let doorway = try Doorway(isSealed: false)
        let entrance = try doorway.entrance()
        #expect(try !entrance.pass())
        let strangers = try (0..<5).map { _ in try doorway.entrance() }
        #expect(try doorway.door.answer().guest != nil)
        #expect(try entrance.pass())
        _ = strangers
    }

    @Test func `strangers who came before take turns with who greets`() throws {
        let doorway = try Doorway(isSealed: false)
        let strangers = try (0..<9).map { _ in try doorway.entrance() }
        let entrance = try doorway.entrance()
        #expect(try !entrance.pass())
        // Not all of them at once.
        #expect(try doorway.door.answer().guest == nil)
        _ = try doorway.meet(entrance)
        _ = strangers
    }

    @Test(arguments: [false, true])
    func `a stream is of no use before the door has confirmed it`(isSealed: Bool) throws {
        let doorway = try Doorway(isSealed: isSealed)
        // Leads to another door, which takes the connection and knows another secret.
        let other = try Doorway(isSealed: isSealed)
        let secret = doorway.door.invitation.suffix(32)
        let entrance = try doorway.entrance(other.door.invitation.dropLast(32) + secret)
        for _ in 0..<100 { #expect(try !entrance.pass()) }
        while try !other.door.answer().changed {}
        while try other.door.answer().changed {}
        expectRefusal(entrance)
    }

    @Test func `who answers anything else is not the door`() throws {
        let doorway = try Doorway(isSealed: true)
        let (socket, _) = try loopbackSocket()
        defer { close(socket) }
        let listener = try StreamListener(beside: socket)
        guard case .tcp(_, let port) = listener.place else { throw Failure.noPort }
        var place = ByteWriter()
        place.put(UInt16(port))
        let entrance = try doorway.entrance(place.bytes + doorway.door.invitation.suffix(32))
        var impostor: Messaging.Stream?
        while impostor == nil {
            #expect(try !entrance.pass())
            impostor = try listener.accept()
        }
        #expect(try impostor!.send([UInt8](repeating: 6, count: 16)) == 16)
        expectRefusal(entrance)
    }

    private enum Failure: Error { case noPort }

    @Test func `after the greetings frames go both ways, sealed`() throws {
        let doorway = try Doorway(isSealed: true)
        let entrance = try doorway.entrance()
        let guest = try doorway.meet(entrance)
        let (here, there) = (entrance.seals, guest.seals)
        for (from, seal, to, opening) in [
            (entrance.stream, here?.outgoing, guest.stream, there?.incoming),
            (guest.stream, there?.outgoing, entrance.stream, here?.incoming),
        ] {
            let writer = FrameWriter(from, seal, slots: 2)
            let reader = FrameReader(to, opening, limit: 400)
            let numbers = [UInt8](repeating: 9, count: 400)
            let frame = header(1, numbers)
            numbers.withUnsafeBytes { #expect(writer.put(frame, $0)) }
            #expect(try writer.flush() && writer.isEmpty)
            var next: FrameHeader?
            while next == nil, ContinuousClock.now < entrance.deadline { next = try reader.next() }
            #expect(next == frame && reader.numbers.elementsEqual(numbers))
        }
    }

    @Test func `only who is reached by ipc may name a unix socket, and none that encrypts`() throws
    {
        let doorway = try Doorway(isSealed: false)
        let deadline = ContinuousClock.now + .seconds(10)
        for (endpoint, isSealed) in [
            ("tcp://127.0.0.1:1", false), ("tcp://127.0.0.1:1", true), ("ipc://x", true),
        ] {
            #expect(throws: MessagingError.self) {
                _ = try StreamEntrance(
                    doorway.door.invitation, endpoint, isSealed: isSealed, deadline: deadline)
            }
        }
    }

    @Test func `a successor without a stream is left alone for some generations`() {
        var failed = FailedStreams()
        failed.nextGeneration()
        failed.note("tcp://a:1")
        for _ in 0..<FailedStreams.pause {
            failed.nextGeneration()
            #expect(failed.contains("tcp://a:1") && !failed.contains("tcp://b:1"))
        }
        failed.nextGeneration()
        #expect(!failed.contains("tcp://a:1"))
    }
}
