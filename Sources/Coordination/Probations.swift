/// Processes that have held up the run, and how long nobody waits for them again.
///
/// Every time takes twice as long as the one before: a worker that hangs for good costs the run
/// little, one that hung once is soon back.
struct Probations: Sendable {
    private struct Probation: Sendable {
        var times = 0
        var end = Instant(nanoseconds: 0)
    }

    /// Processes that are remembered at most.
    static let limit = 1024

    private var probations: [UInt64: Probation] = [:]

    /// `span`: the length of the first time.
    mutating func add(_ instance: UInt64, _ span: Milliseconds, at now: Instant) {
        if probations.count >= Self.limit { probations = probations.filter { now < $0.value.end } }
        guard probations.count < Self.limit else { return }
        var probation = probations[instance, default: Probation()]
        probation.end = now + Milliseconds(span.count << Int64(min(probation.times, 10)))
        probation.times += 1
        probations[instance] = probation
    }

    /// The same until a moment.
    mutating func add(_ instance: UInt64, until end: Instant, at now: Instant) {
        add(instance, Milliseconds(0), at: now)
        if let known = probations[instance]?.end { probations[instance]?.end = max(known, end) }
    }

    func hold(_ instance: UInt64, at now: Instant) -> Bool {
        probations[instance].map { now < $0.end } ?? false
    }
}
