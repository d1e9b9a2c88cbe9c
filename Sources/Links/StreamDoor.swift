import Glibc
import Messaging
import Wire

/// A stream on its way to the successor, whose invitation has come.
///
/// It is of use once the successor has confirmed it: whatever else lies on the way may take a
/// connection, too.
package final class StreamEntrance {
    /// The connection to the successor's host.
    package let stream: Stream
    /// The moment after which numbers go over ZeroMQ's connection instead.
    package let deadline: ContinuousClock.Instant
    /// Nil for a stream in plain text.
    package let seals: StreamSeals?
    private let greeting: [UInt8]
    private(set) var hasGreeted = false
    /// The bytes of the confirmation that have come so far.
    private var heard: [UInt8] = []

    /// - Parameters:
    ///   - endpoint: whence the invitation came.
    ///   - isSealed: whether that was over an encrypted connection.
    /// - Throws: what connecting throws, or what is wrong with the invitation.
    package init(
        _ invitation: [UInt8], _ endpoint: String, isSealed: Bool,
        deadline: ContinuousClock.Instant
    ) throws {
        self.deadline = deadline
        guard invitation.count > StreamDoor.secretBytes else {
            throw WireError.truncated(
                field: "invitation", needed: StreamDoor.secretBytes, available: invitation.count)
        }
        let secret = Array(invitation.suffix(StreamDoor.secretBytes))
        let place = Array(invitation.dropLast(StreamDoor.secretBytes))
        stream = try Self.connect(place, endpoint, isSealed: isSealed)
        if isSealed {
            let salt = StreamDoor.random(StreamSeals.saltBytes)
            let seals = StreamSeals(secret: secret, salt: salt, connecting: true)
            var proof = [UInt8](repeating: 0, count: StreamSeal.tagBytes)
            proof.withUnsafeMutableBytes {
                seals.outgoing.seal(UnsafeRawBufferPointer(start: nil, count: 0), into: $0)
            }
            self.seals = seals
            greeting = salt + proof
        } else {
            seals = nil
            greeting = secret
        }
    }

    /// Begins to connect to where an invitation leads, on the host of `endpoint`.
    ///
    /// An encrypted stream is tcp, and only a successor that is reached by ipc may name a unix
    /// socket.
    private static func connect(
        _ place: [UInt8], _ endpoint: String, isSealed: Bool
    ) throws -> Stream {
        var reader = ByteReader(place)
        let port = try reader.integer("port", as: UInt16.self)
        guard port != 0 else {
            guard !isSealed, endpoint.hasPrefix("ipc:") else {
                throw MessagingError.invalidEndpoint("port 0 beside \(endpoint)", code: EINVAL)
            }
            return try Stream(connecting: .unix(try reader.text("name", limit: 107)))
        }
        return try Stream(connecting: .tcp(host: host(endpoint), port: Int(port)))
    }

    /// The host of `tcp://HOST:PORT`, without the brackets of an IPv6 address.
    private static func host(_ endpoint: String) -> String {
        let host = endpoint.dropFirst("tcp://".count)
        let end = host.lastIndex(of: ":") ?? host.endIndex
        return String(host[..<end]).filter { $0 != "[" && $0 != "]" }
    }

    /// The events that the ring thread must wake up for.
    var events: Poller.Events { hasGreeted ? .readable : .writable }

    /// Greets once there is a connection; false until the successor has confirmed it.
    ///
    /// - Throws: what the stream throws, `.system` with EBADMSG where somebody else answers.
    package func pass() throws(MessagingError) -> Bool {
        if !hasGreeted {
            guard try stream.isConnected() else { return false }
            guard try stream.send(greeting) == greeting.count else { throw .wouldBlock }
            hasGreeted = true
        }
        // No more than that: credits may be right behind.
        heard += try stream.receive(
            atMost: StreamDoor.confirmationBytes(isSealed: seals != nil) - heard.count)
        guard heard.count == StreamDoor.confirmationBytes(isSealed: seals != nil) else {
            return false
        }
        let isRight =
            if let seals { heard.withUnsafeMutableBytes { seals.incoming.open($0) } } else {
                heard == StreamDoor.confirmation
            }
        guard isRight else { throw .system(call: "confirming a stream", code: EBADMSG) }
        return true
    }
}

/// The place where a successor waits for the stream of its predecessor, which alone knows the
/// secret.
///
/// In plain text the secret is said. Sealed, it stays unsaid: a salt comes, and an empty record
/// that only who knows the secret can have sealed with it. Another empty record, or one byte,
/// confirms the stream. A door lets in one stream.
package final class StreamDoor {
    /// A stream that was let in, with its seals; those are nil in plain text.
    package typealias Guest = (stream: Stream, seals: StreamSeals?)

    let isSealed: Bool
    private let listener: StreamListener
    private let secret: [UInt8]
    /// Connections that have not greeted to the end yet.
    private var guests: [(stream: Stream, said: [UInt8])] = []

    /// The first byte of an answer that brings an invitation to a stream in plain text, or sealed.
    static func mark(isSealed: Bool) -> UInt8 { isSealed ? 3 : 2 }
    static let secretBytes = 32
    /// The byte that says in plain text that a stream has been let in.
    static let confirmation: [UInt8] = [6]

    static func confirmationBytes(isSealed: Bool) -> Int {
        isSealed ? StreamSeal.tagBytes : confirmation.count
    }
    private static let room = 4

    /// - Parameters:
    ///   - connection: the descriptor that the predecessor's greeting came over.
    ///   - isSealed: whether that is encrypted, and then the stream.
    ///   - ports: where tcp may listen; nil for any.
    package init(
        beside connection: Int32, isSealed: Bool, ports: ClosedRange<Int>? = nil
    ) throws(MessagingError) {
        listener = try StreamListener(beside: connection, ports: ports)
        secret = Self.random(Self.secretBytes)
        self.isSealed = isSealed
    }

    static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
    }

    /// The words that the predecessor must know: port or name, then the secret.
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

    func join(_ poller: inout Poller) {
        poller.add(descriptor: listener.descriptor, for: .readable)
        for guest in guests { poller.add(descriptor: guest.stream.descriptor, for: .readable) }
    }

    private var greetingBytes: Int {
        isSealed ? StreamSeals.saltBytes + StreamSeal.tagBytes : Self.secretBytes
    }

    /// Lets in whoever knows the secret; `changed` if others have come or gone.
    package func answer() throws(MessagingError) -> (guest: Guest?, changed: Bool) {
        var changed = false
        // Those who are in first, as whoever comes now may take an old one's place.
        for index in guests.indices.reversed() {
            if let guest = hear(index, &changed) { return (guest, true) }
        }
        // Not all that a flood brings: the ring has other things to do.
        for _ in 0..<Self.room {
            guard let stream = try listener.accept() else { break }
            changed = true
            // Who came long ago and has not greeted has no business here.
            if guests.count == Self.room { guests.removeFirst() }
            guests.append((stream, []))
            if let guest = hear(guests.count - 1, &changed) { return (guest, true) }
        }
        return (nil, changed)
    }

    /// Takes what one has said, and lets go of it if that is wrong.
    private func hear(_ index: Int, _ changed: inout Bool) -> Guest? {
        let missing = greetingBytes - guests[index].said.count
        guard let said = try? guests[index].stream.receive(atMost: missing) else {
            guests.remove(at: index)
            changed = true
            return nil
        }
        guests[index].said += said
        guard guests[index].said.count == greetingBytes else { return nil }
        let (stream, greeting) = guests.remove(at: index)
        changed = true
        if isSealed {
            guard let seals = seals(greeting), confirm(stream, seals) else { return nil }
            return (stream, seals)
        }
        return isSecret(greeting) && confirm(stream, nil) ? (stream, nil) : nil
    }

    /// Tells who comes in that this is the door, and not something on the way; false if it is gone.
    private func confirm(_ stream: Stream, _ seals: StreamSeals?) -> Bool {
        var confirmation = Self.confirmation
        if let seals {
            confirmation = [UInt8](repeating: 0, count: StreamSeal.tagBytes)
            confirmation.withUnsafeMutableBytes {
                seals.outgoing.seal(UnsafeRawBufferPointer(start: nil, count: 0), into: $0)
            }
        }
        return (try? stream.send(confirmation)) == confirmation.count
    }

    private func isSecret(_ said: [UInt8]) -> Bool {
        zip(said, secret).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private func seals(_ greeting: [UInt8]) -> StreamSeals? {
        let salt = Array(greeting.prefix(StreamSeals.saltBytes))
        var proof = Array(greeting.dropFirst(StreamSeals.saltBytes))
        let seals = StreamSeals(secret: secret, salt: salt, connecting: false)
        return proof.withUnsafeMutableBytes { seals.incoming.open($0) } ? seals : nil
    }
}
