/// A moment on a clock that only moves forward; the state machines never ask for it themselves.
package struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since an arbitrary moment.
    package var nanoseconds: Int64

    /// Makes the moment so many nanoseconds after the clock's zero.
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Orders moments by time.
    package static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Returns the moment that is so much later, or earlier if the span is negative.
    package static func + (instant: Instant, milliseconds: Milliseconds) -> Instant {
        Instant(nanoseconds: instant.nanoseconds + milliseconds.count * 1_000_000)
    }

    /// Whole milliseconds from `earlier` to `self`.
    package func milliseconds(since earlier: Instant) -> Int64 {
        (nanoseconds - earlier.nanoseconds) / 1_000_000
    }

    /// Seconds since the arbitrary moment.
    package var seconds: Double { Double(nanoseconds) * 1e-9 }

    /// Seconds from `earlier` to `self`; negative if it is later.
    package func seconds(since earlier: Instant) -> Double {
        Double(nanoseconds - earlier.nanoseconds) * 1e-9
    }
}

/// A span of time.
package struct Milliseconds: Hashable, Comparable, Sendable {
    /// Whole milliseconds.
    package var count: Int64

    /// Makes a span of so many milliseconds.
    package init(_ count: Int64) { self.count = count }

    /// Orders spans by length.
    package static func < (left: Milliseconds, right: Milliseconds) -> Bool {
        left.count < right.count
    }
}

/// Every wait of a run, derived from the one knob `--peer-timeout`.
package struct Deadlines: Hashable, Sendable {
    /// Silence after which a peer counts as gone.
    package let peerTimeout: Milliseconds

    /// Makes the waits of a run with this peer timeout.
    package init(peerTimeout: Milliseconds) { self.peerTimeout = peerTimeout }

    /// Time between two heartbeats.
    package var heartbeat: Milliseconds { Milliseconds(max(20, peerTimeout.count / 8)) }
    /// Time in which nobody gets on after which the ring is formed anew.
    package var stall: Milliseconds { Milliseconds(2 * peerTimeout.count) }
    /// Time in which those who were cut off come back before the run goes on with whoever is there.
    package var gathering: Milliseconds { Milliseconds(max(50, peerTimeout.count / 10)) }
    /// Time between a broken link's report and a new ring: the death behind it is known by then.
    package var settle: Milliseconds { Milliseconds(min(50, peerTimeout.count / 10)) }
}
