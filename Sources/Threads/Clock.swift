import Coordination

/// The clock that the shells read on behalf of the state machines.
package enum Clock {
    private static let origin = ContinuousClock.now

    /// The moment at hand, in nanoseconds since this process first asked; it never goes back.
    package static var now: Instant { moment(.now) }

    /// Returns the same moment on this clock; what was before its first use counts as its beginning.
    package static func moment(_ moment: ContinuousClock.Instant) -> Instant {
        let (seconds, attoseconds) = origin.duration(to: moment).components
        return Instant(
            nanoseconds: max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
    }

    /// Returns the seconds from `start` until now.
    package static func seconds(since start: ContinuousClock.Instant) -> Double {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}

extension ContinuousClock.Instant {
    /// Returns the moment that is so much later than now: a deadline.
    package static func after(_ span: Milliseconds) -> ContinuousClock.Instant {
        .now + .milliseconds(span.count)
    }
}

extension Duration {
    /// Whole and parts.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
