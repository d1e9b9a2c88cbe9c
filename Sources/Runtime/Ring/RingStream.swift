import Messaging
import Ring
import Wire

/// A connection that carries a link's frames both ways: sums there, credits back.
///
/// It is agreed upon over the link's ZeroMQ sockets, which go on to notice who is gone; bytes that
/// need not be encrypted take half the processor's time this way.
final class RingStream {
    let stream: Stream
    let reader: FrameReader
    let writer: FrameWriter
    /// Nothing more will be sent or received.
    var isCut = false
    /// A frame of a step that has not begun here; nothing behind it is read before.
    var early: FrameHeader?
    private(set) var place: Poller.Place?

    init(_ stream: Stream, _ configuration: RingConfiguration) {
        self.stream = stream
        reader = FrameReader(stream, limit: configuration.chunkBytes)
        writer = FrameWriter(stream, slots: 2 * configuration.laneSlots)
    }

    func join(_ poller: inout Poller) {
        place = poller.add(descriptor: stream.descriptor, for: .readable)
    }

    /// What to wake up for.
    var events: Poller.Events {
        if isCut { return [] }
        var events: Poller.Events = early == nil ? .readable : []
        if !writer.isEmpty { events.insert(.writable) }
        return events
    }
}

/// What the predecessor's greeting asks for beside the connection that it came over.
enum RingOffer {
    /// That this memory be mapped.
    case memory([UInt8])
    case stream

    var bytes: [UInt8] {
        switch self {
        case .memory(let handles): [1] + handles
        case .stream: [2]
        }
    }

    /// Nil for anything else.
    init?(_ bytes: [UInt8]) {
        switch bytes.first {
        case 1: self = .memory(Array(bytes.dropFirst()))
        case 2 where bytes.count == 1: self = .stream
        default: return nil
        }
    }
}

/// A stream on its way to the successor, whose invitation has come.
package final class StreamEntrance {
    package let stream: Stream
    let deadline: ContinuousClock.Instant
    private let secret: [UInt8]

    /// - Throws: what connecting throws, or what is wrong with the invitation.
    package init(
        _ invitation: [UInt8], _ endpoint: String, deadline: ContinuousClock.Instant
    ) throws {
        (stream, secret) = try StreamDoor.enter(invitation, endpoint)
        self.deadline = deadline
    }

    /// Says the secret once there is a connection; false as long as there is none.
    package func pass() throws(MessagingError) -> Bool {
        guard try stream.isConnected() else { return false }
        guard try stream.send(secret) == secret.count else { throw .wouldBlock }
        return true
    }
}

/// Where a successor waits for the stream of its predecessor, which alone knows the secret.
package final class StreamDoor {
    private let listener: StreamListener
    private let secret: [UInt8]
    /// Connections that have not said all of the secret yet.
    private var guests: [(stream: Stream, said: [UInt8])] = []

    /// The first byte of an answer that brings an invitation.
    static let mark: UInt8 = 2
    private static let secretBytes = 16
    private static let room = 4

    /// - Parameters:
    ///   - connection: the descriptor that the predecessor's greeting came over.
    ///   - ports: where tcp may listen; nil for any.
    package init(
        beside connection: Int32, ports: ClosedRange<Int>? = nil
    ) throws(MessagingError) {
        listener = try StreamListener(beside: connection, ports: ports)
        var generator = SystemRandomNumberGenerator()
        secret = (0..<Self.secretBytes).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
    }

    /// What the predecessor must know.
    package var invitation: [UInt8] {
        var writer = ByteWriter()
        switch listener.place {
        case .tcp(_, let port): writer.put(UInt16(port))
        case .unix(let name):
            writer.put(0 as UInt16)
            writer.put(name)
        }
        return writer.bytes + secret
    }

    /// Begins to connect to where an invitation leads, on the host of `endpoint`, whence it came.
    fileprivate static func enter(
        _ invitation: [UInt8], _ endpoint: String
    ) throws -> (stream: Stream, secret: [UInt8]) {
        guard invitation.count > secretBytes else {
            throw WireError.truncated(
                field: "invitation", needed: secretBytes, available: invitation.count)
        }
        let secret = Array(invitation.suffix(secretBytes))
        var reader = ByteReader(Array(invitation.dropLast(secretBytes)))
        let port = try reader.integer("port", as: UInt16.self)
        guard port != 0 else {
            return (try Stream(connecting: .unix(try reader.text("name", limit: 107))), secret)
        }
        return (try Stream(connecting: .tcp(host: host(endpoint), port: Int(port))), secret)
    }

    /// The host of `tcp://HOST:PORT`, without the brackets of an IPv6 address.
    private static func host(_ endpoint: String) -> String {
        let host = endpoint.dropFirst("tcp://".count)
        let end = host.lastIndex(of: ":") ?? host.endIndex
        return String(host[..<end]).filter { $0 != "[" && $0 != "]" }
    }

    func join(_ poller: inout Poller) {
        poller.add(descriptor: listener.descriptor, for: .readable)
        for guest in guests { poller.add(descriptor: guest.stream.descriptor, for: .readable) }
    }

    /// Lets in whoever says the secret; `changed` if others have come or gone.
    package func answer() throws(MessagingError) -> (stream: Stream?, changed: Bool) {
        var changed = false
        while let stream = try listener.accept() {
            // Who came long ago and has not said it has no business here.
            if guests.count == Self.room { guests.removeFirst() }
            guests.append((stream, []))
            changed = true
        }
        for index in guests.indices.reversed() {
            let missing = Self.secretBytes - guests[index].said.count
            guard let said = Self.listen(guests[index].stream, missing) else {
                guests.remove(at: index)
                changed = true
                continue
            }
            guests[index].said += said
            guard guests[index].said.count == Self.secretBytes else { continue }
            let guest = guests.remove(at: index)
            changed = true
            if zip(guest.said, secret).reduce(0, { $0 | ($1.0 ^ $1.1) }) == 0 {
                return (guest.stream, true)
            }
        }
        return (nil, changed)
    }

    /// What a guest says, at most `count` bytes; nil if it is gone.
    private static func listen(_ stream: Stream, _ count: Int) -> [UInt8]? {
        try? stream.receive(atMost: count)
    }
}
