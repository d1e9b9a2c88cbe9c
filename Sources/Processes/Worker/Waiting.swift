import Threads

/// How long a worker has been without a coordinator, and when it last said so.
struct Waiting {
    private var since = ContinuousClock.now
    private var reported = 0.0

    var seconds: Double { Clock.seconds(since: since) }

    mutating func heard() {
        since = .now
        reported = 0
    }

    /// The seconds to speak of: after 3 s, then every 30 s.
    mutating func report() -> Int? {
        let now = seconds
        guard now >= (reported == 0 ? 3 : reported + 30) else { return nil }
        reported = now
        return Int(now)
    }
}
