import CZeroMQ
import Glibc

/// Waits for any of several sockets and descriptors, on the thread that owns them.
///
/// The sockets must outlive their places here, or be removed first.
package struct Poller {
    package struct Events: OptionSet, Sendable {
        package let rawValue: Int16
        package init(rawValue: Int16) { self.rawValue = rawValue }
        package static let readable = Events(rawValue: Int16(ZMQ_POLLIN))
        package static let writable = Events(rawValue: Int16(ZMQ_POLLOUT))
        /// Descriptors only: the other side is gone, or the descriptor is bad.
        package static let failed = Events(rawValue: Int16(ZMQ_POLLERR))
    }

    /// A place in the poller: what `add` returns and `events` takes.
    package struct Place: Sendable, Hashable {
        fileprivate let index: Int
    }

    private var items: [zmq_pollitem_t] = []

    package init() {}

    @discardableResult
    package mutating func add(_ socket: borrowing RouterSocket, for events: Events) -> Place {
        add(socket.base.handle.pointer, -1, events)
    }

    @discardableResult
    package mutating func add(_ socket: borrowing DealerSocket, for events: Events) -> Place {
        add(socket.base.handle.pointer, -1, events)
    }

    @discardableResult
    package mutating func add(_ monitor: borrowing SocketMonitor) -> Place {
        add(monitor.pair.pointer, -1, .readable)
    }

    @discardableResult
    package mutating func add(_ wakeup: Wakeup) -> Place {
        add(nil, wakeup.descriptor, .readable)
    }

    @discardableResult
    package mutating func add(descriptor: Int32, for events: Events) -> Place {
        add(nil, descriptor, events)
    }

    private mutating func add(
        _ socket: UnsafeMutableRawPointer?, _ descriptor: Int32, _ events: Events
    ) -> Place {
        items.append(
            zmq_pollitem_t(socket: socket, fd: descriptor, events: events.rawValue, revents: 0))
        return Place(index: items.count - 1)
    }

    /// What to wait for at this place from now on; nothing at all is allowed.
    package mutating func change(_ place: Place, to events: Events) {
        items[place.index].events = events.rawValue
    }

    /// Forgets every place.
    package mutating func removeAll() {
        items.removeAll(keepingCapacity: true)
    }

    /// What was there when `wait` returned.
    package func events(at place: Place) -> Events {
        Events(rawValue: items[place.index].revents)
    }

    /// Waits until something is there or the deadline has passed.
    ///
    /// - Returns: whether something is there. Sub-millisecond waits are rounded up.
    package mutating func wait(until deadline: ContinuousClock.Instant) throws(MessagingError)
        -> Bool
    {
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            let timeout = left > .zero ? Int(left.milliseconds) : 0
            let ready = zmq_poll(&items, Int32(items.count), timeout)
            if ready > 0 { return true }
            if ready < 0 {
                let code = zmq_errno()
                guard code == EINTR else { throw .system(call: "zmq_poll", code: code) }
            }
            if ContinuousClock.now >= deadline { return false }
        }
    }
}
