import Messaging
import Ring
import Wire

/// A connection that carries a link's frames both ways: sums there, credits back.
///
/// It is agreed upon over the link's ZeroMQ sockets, which go on to notice who is gone; bytes take
/// a half to a third of the processor's time this way. Where those sockets encrypt, so does the
/// stream, with keys that only who was told over them can know.
final class RingStream {
    let stream: Stream
    let reader: FrameReader
    let writer: FrameWriter
    let isSealed: Bool
    /// Whether the other side has sent anything over it.
    var isUsed = false
    /// Nothing more will be sent or received.
    var isCut = false
    /// A frame of a step that has not begun here; nothing behind it is read before.
    var early: FrameHeader?
    private(set) var place: Poller.Place?

    init(_ stream: Stream, _ seals: StreamSeals?, _ configuration: RingConfiguration) {
        self.stream = stream
        isSealed = seals != nil
        reader = FrameReader(stream, seals?.incoming, limit: configuration.chunkBytes)
        writer = FrameWriter(stream, seals?.outgoing, slots: 2 * configuration.laneSlots)
    }

    func join(_ poller: inout Poller) {
        place = poller.add(descriptor: stream.descriptor, for: .readable)
    }

    /// The events that the ring thread must wake up for.
    var events: Poller.Events {
        if isCut { return [] }
        var events: Poller.Events = early == nil ? .readable : []
        if !writer.isEmpty { events.insert(.writable) }
        return events
    }
}

/// A way that the predecessor's greeting asks for, beside the connection that it came over.
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
