import Wire

/// What a coordinator knows of a worker's clock, from the orders that the worker has answered.
///
/// An order goes at c₁ on the coordinator's clock, comes at w₁ on the worker's, is answered at w₂, and
/// the answer comes at c₂. The offset worker − coordinator is ((w₁ − c₁) + (w₂ − c₂)) / 2. It is wrong
/// by half of the delay (c₂ − c₁) − (w₂ − w₁) at most, however unequal the two ways are, and by what
/// the clocks have drifted since (Mills, RFC 5905, sections 8 and 10).
package struct ClockEstimate: Hashable, Sendable {
    /// The offset worker − coordinator and its greatest error, both in nanoseconds.
    package struct Offset: Hashable, Sendable {
        /// Worker − coordinator.
        package var nanoseconds: Int64
        /// The greatest error, of either sign.
        package var error: Int64
    }

    private struct Sample: Hashable, Sendable {
        var offset: Int64
        /// At the moment `at` of the coordinator's clock.
        var error: Int64
        var at: Instant

        func error(at now: Instant) -> Int64 {
            error + ClockEstimate.drift(now.nanoseconds - at.nanoseconds)
        }
    }

    /// Answers that are remembered.
    static let window = 8

    private var samples: [Sample] = []

    /// Makes an estimate without an answer.
    package init() {}

    /// How far two clocks come apart at most over a span, in nanoseconds: 100 parts in a million, what
    /// two quartzes of ±50 allow.
    static func drift(_ nanoseconds: Int64) -> Int64 { (max(0, nanoseconds) + 9_999) / 10_000 }

    /// Takes note of an order that went at `sent` and whose answer came at `received`.
    ///
    /// Times that no clock shows are left out: an answer before the order, or a worker that took
    /// longer than the coordinator waited.
    package mutating func add(sent: Instant, _ times: OrderTimes, received: Instant) {
        let waited = received.nanoseconds - sent.nanoseconds
        let delay = waited - (times.sent - times.received)
        let drift = Self.drift(waited)
        guard waited >= 0, delay >= -drift else { return }
        let offset =
            ((times.received - sent.nanoseconds) + (times.sent - received.nanoseconds)) / 2
        // One more for the halves that are cut off.
        let error = max(0, delay) / 2 + 1 + drift
        samples.append(Sample(offset: offset, error: error, at: received))
        if samples.count > Self.window { samples.removeFirst() }
    }

    /// The offset by the answer that says it best at `now`; nil before the first.
    package func offset(at now: Instant) -> Offset? {
        let best = samples.min { $0.error(at: now) < $1.error(at: now) }
        return best.map { Offset(nanoseconds: $0.offset, error: $0.error(at: now)) }
    }
}
