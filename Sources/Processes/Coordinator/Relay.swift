import Messaging
import Wire

/// Passes ring frames between workers of which one cannot be connected to.
///
/// It looks at addresses alone, and what lies here is bounded: who does not take what comes for it
/// is cut off from those who send it.
package final class Relay {
    private struct Waiting {
        let from: [UInt8]
        let frame: Message
    }

    /// Frames that may wait for one receiver beside those in its socket's queue; credits allow far
    /// fewer.
    package static let limit = 256

    private let socket: (Relay.Sending) throws(MessagingError) -> Void
    private var queues: [[UInt8]: [Waiting]] = [:]
    /// With whom each has exchanged frames.
    private var partners: [[UInt8]: Set<[UInt8]>] = [:]
    private var connections: [Int32: [UInt8]] = [:]
    package private(set) var bytes = 0

    /// What the socket is asked to send.
    package struct Sending {
        package let receiver: [UInt8]
        package let from: [UInt8]
        package let frame: Message
    }

    package init(_ socket: @escaping (Sending) throws(MessagingError) -> Void) {
        self.socket = socket
    }

    /// Passes a frame on, or tells its sender that nobody is there. `frame` is empty afterwards.
    package func pass(_ frame: Message, to receiver: [UInt8], from sender: RouterSocket.Sender) {
        let from = sender.identity
        connections[sender.connection] = from
        guard RelayAddress.isIdentity(receiver), receiver[0] != from[0] else {
            return frame.clear()
        }
        let size = frame.count
        let moving = Message()
        moving.take(frame)
        guard queues[receiver] == nil else {
            queues[receiver]?.append(Waiting(from: from, frame: moving))
            if queues[receiver]!.count > Self.limit { cutOff(receiver) }
            return
        }
        do throws(MessagingError) {
            try socket(Sending(receiver: receiver, from: from, frame: moving))
        } catch .wouldBlock {
            queues[receiver] = [Waiting(from: from, frame: moving)]
        } catch {
            return tell(from, isGone: receiver)
        }
        bytes += size
        partners[from, default: []].insert(receiver)
        partners[receiver, default: []].insert(from)
    }

    /// Sends what had to wait, as far as it goes.
    package func flush() {
        for receiver in queues.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            while let first = queues[receiver]?.first {
                do throws(MessagingError) {
                    try socket(Sending(receiver: receiver, from: first.from, frame: first.frame))
                    queues[receiver]?.removeFirst()
                } catch .wouldBlock {
                    break
                } catch {
                    cutOff(receiver)
                }
            }
            if queues[receiver]?.isEmpty == true { queues[receiver] = nil }
        }
    }

    /// Whether anything waits.
    package var isIdle: Bool { queues.isEmpty }

    /// A connection is gone: those at its other side are told.
    package func ended(_ connection: Int32) {
        guard let identity = connections.removeValue(forKey: connection) else { return }
        cutOff(identity)
    }

    private func cutOff(_ identity: [UInt8]) {
        queues[identity] = nil
        for partner in partners.removeValue(forKey: identity) ?? [] {
            partners[partner]?.remove(identity)
            if partners[partner]?.isEmpty == true { partners[partner] = nil }
            tell(partner, isGone: identity)
        }
    }

    private func tell(_ receiver: [UInt8], isGone identity: [UInt8]) {
        try? socket(Sending(receiver: receiver, from: identity, frame: Message()))
    }
}
