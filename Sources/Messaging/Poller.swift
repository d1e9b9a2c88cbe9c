import CZeroMQ
import Glibc

/// Waits for any of several sockets and descriptors, on the thread that owns them.
///
/// The sockets must outlive their places here, or be removed first.
package struct Poller {
    /// States of a socket or descriptor that end a wait.
    package struct Events: OptionSet, Sendable {
        /// The bits of `poll` and `zmq_poll`.
        package let rawValue: Int16
        /// Makes a set of these bits.
        package init(rawValue: Int16) { self.rawValue = rawValue }
        /// Something is there to be read.
        package static let readable = Events(rawValue: Int16(ZMQ_POLLIN))
        /// There is room for something to be sent.
        package static let writable = Events(rawValue: Int16(ZMQ_POLLOUT))
        /// Descriptors only: the other side is gone, or the descriptor is bad.
        package static let failed = Events(rawValue: Int16(ZMQ_POLLERR))
    }

    /// A place in the poller: what `add` returns and `events` takes.
    package struct Place: Sendable, Hashable {
        fileprivate let index: Int
    }

    private var items: [zmq_pollitem_t] = []

    /// Makes a poller without places, which waits for its deadline alone.
    package init() {}

    /// Adds a ROUTER socket, and returns its place.
    @discardableResult
    package mutating func add(_ socket: borrowing RouterSocket, for events: Events) -> Place {
        add(socket.base.handle.pointer, -1, events)
    }

    /// Adds a DEALER socket, and returns its place.
    @discardableResult
    package mutating func add(_ socket: borrowing DealerSocket, for events: Events) -> Place {
        add(socket.base.handle.pointer, -1, events)
    }

    /// Adds a monitor, for events to read, and returns its place.
    @discardableResult
    package mutating func add(_ monitor: borrowing SocketMonitor) -> Place {
        add(monitor.pair.pointer, -1, .readable)
    }

    /// Adds another thread's way to end the wait, and returns its place.
    @discardableResult
    package mutating func add(_ wakeup: Wakeup) -> Place {
        add(nil, wakeup.descriptor, .readable)
    }

    /// Adds a descriptor, and returns its place; it must stay open until the place is removed.
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

    /// Waits for other events at this place from now on; no events at all are allowed.
    package mutating func change(_ place: Place, to events: Events) {
        items[place.index].events = events.rawValue
    }

    /// Forgets every place.
    package mutating func removeAll() {
        items.removeAll(keepingCapacity: true)
    }

    /// Returns the events that were there when `wait` returned.
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
