import Glibc

/// Serves those who try the way to this host, one at a time.
///
/// Strangers, who don't know the number, keep it from nobody: they wait beside those who do.
package final class LinkListener: Sendable {
    private typealias Guest = (stream: Stream, shown: [UInt8])

    private let listeners: [PlainListener]
    /// The tcp port, the same at every address.
    package let port: Int
    /// The number that a connection must show before it is served.
    package let number: UInt64

    /// Bytes that are taken in all at most, and how long that may take.
    private static let limit = 256 << 20
    private static let patience = Duration.seconds(30)
    /// Connections that have not shown the number yet; one more, and the oldest goes.
    private static let room = 64

    /// Listens at one port of all addresses, any of `ports` or any at all.
    package init(
        _ addresses: [IPAddress], ports: ClosedRange<Int>? = nil, number: UInt64
    ) throws(MessagingError) {
        self.number = number
        var last: MessagingError = .system(call: "bind", code: EADDRNOTAVAIL)
        for wanted in ports.map(Array.init) ?? [0] {
            do throws(MessagingError) {
                (listeners, port) = try Self.listen(addresses, wanted)
                return
            } catch {
                last = error
            }
        }
        throw last
    }

    private static func listen(
        _ addresses: [IPAddress], _ wanted: Int
    ) throws(MessagingError) -> ([PlainListener], Int) {
        var listeners: [PlainListener] = []
        for address in addresses {
            listeners.append(try PlainListener(address, port: listeners.first?.port ?? wanted))
        }
        return (listeners, listeners.first?.port ?? wanted)
    }

    /// Takes connections until `deadline`, or until one has shown the number; that one is served
    /// to its end. Ends within a fifth of a second once nobody is wanted any more.
    package func serve(
        until deadline: ContinuousClock.Instant, while isWanted: () -> Bool = { true }
    ) {
        var guests: [Guest] = []
        while isWanted(), ContinuousClock.now < deadline {
            do throws(MessagingError) {
                try wait(for: guests, until: min(deadline, .now + .milliseconds(200)))
                try letIn(&guests)
            } catch {
                return
            }
            if let stream = whoKnows(&guests) { return serve(PlainStream(stream)) }
        }
    }

    private func wait(
        for guests: [Guest], until deadline: ContinuousClock.Instant
    ) throws(MessagingError) {
        var poller = Poller()
        for listener in listeners { poller.add(descriptor: listener.descriptor, for: .readable) }
        for guest in guests { poller.add(descriptor: guest.stream.descriptor, for: .readable) }
        _ = try poller.wait(until: deadline)
    }

    private func letIn(_ guests: inout [Guest]) throws(MessagingError) {
        for listener in listeners {
            // Not all that a flood brings: those who are in have their turn.
            for _ in 0..<Self.room {
                guard let stream = try Stream.accepted(by: listener.descriptor) else { break }
                if guests.count == Self.room { guests.removeFirst() }
                guests.append((stream, []))
            }
        }
    }

    /// The first who has shown the number; whoever has gone or has shown another is let go.
    private func whoKnows(_ guests: inout [Guest]) -> Stream? {
        let key = withUnsafeBytes(of: number.littleEndian) { Array($0) }
        var known: Stream?
        guests = guests.compactMap { guest in
            var guest = guest
            let missing = key.count - guest.shown.count
            guard known == nil, let more = try? guest.stream.receive(atMost: missing) else {
                return nil
            }
            guest.shown += more
            if guest.shown == key { known = guest.stream }
            return key.starts(with: guest.shown) && known == nil ? guest : nil
        }
        return known
    }

    private func serve(_ stream: PlainStream) {
        let deadline = ContinuousClock.now + Self.patience
        var left = Self.limit
        while let count = try? stream.receive(UInt32.self, until: deadline),
            case let size = Int(UInt32(littleEndian: count)), size > 0, size <= left
        {
            left -= size
            guard (try? stream.pass(size, sending: false, until: deadline)) != nil,
                (try? stream.pass(1, sending: true, until: deadline)) != nil
            else { return }
        }
    }
}
