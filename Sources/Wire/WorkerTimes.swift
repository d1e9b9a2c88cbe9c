/// A stretch of time on a worker's own clock, in nanoseconds since an arbitrary moment.
package struct WorkerSpan: Hashable, Sendable {
    /// The first moment.
    package var begin: Int64 = 0
    /// The last moment; not before `begin`.
    package var end: Int64 = 0

    /// Makes a span; an end before the begin counts as the begin.
    package init(begin: Int64, end: Int64) {
        self.begin = begin
        self.end = max(begin, end)
    }

    /// The length in seconds.
    package var seconds: Double { Double(end - begin) * 1e-9 }
}

/// When an order came to a worker and when the answer left it, on the worker's own clock, in
/// nanoseconds.
///
/// With the moments at which the coordinator sent the order and got the answer these are the four
/// time stamps by which clocks are compared (Mills, RFC 5905, section 8).
package struct OrderTimes: Hashable, Sendable {
    /// The order came.
    package var received: Int64 = 0
    /// The answer left; not before `received`.
    package var sent: Int64 = 0

    /// Makes the times of an order and its answer.
    package init(received: Int64, sent: Int64) {
        self.received = received
        self.sent = max(received, sent)
    }
}

/// What a worker says when it has followed a commit.
package struct Update: Hashable, Sendable {
    /// The state as it was written.
    package var held = HeldState()
    /// When the commit came, and when this was sent.
    package var times = OrderTimes()
    /// The pass over θ, m and v; of no length where a step was skipped.
    package var span = WorkerSpan()

    /// Makes an update; the session fills in the times.
    package init(
        _ held: HeldState, span: WorkerSpan = WorkerSpan(), times: OrderTimes = OrderTimes()
    ) {
        self.held = held
        self.times = times
        self.span = span
    }
}

// MARK: - Coding

extension WorkerSpan: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.moment(&begin)
        try coder.moment(&end)
        try coder.check(begin <= end, or: .unknownValue(field: "span", value: 0))
    }
}

extension OrderTimes: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.moment(&received)
        try coder.moment(&sent)
        try coder.check(received <= sent, or: .unknownValue(field: "times", value: 0))
    }
}

extension Update: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try held.code(&coder)
        try times.code(&coder)
        try span.code(&coder)
    }
}
