import Coordination

/// The clock that the shells read on behalf of the state machines.
enum Clock {
    private static let origin = ContinuousClock.now

    static var now: Instant {
        let (seconds, attoseconds) = origin.duration(to: .now).components
        return Instant(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    static func seconds(since start: ContinuousClock.Instant) -> Double {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}

extension ContinuousClock.Instant {
    static func after(_ span: Milliseconds) -> ContinuousClock.Instant {
        .now + .milliseconds(span.count)
    }
}
