/// Handshakes that came to nothing, one after another.
struct Setbacks {
    private var count = 0
    private var since = ContinuousClock.now

    /// Whether there have been so many, for so long, that it is no accident.
    mutating func isHopeless(at now: ContinuousClock.Instant) -> Bool {
        if count == 0 { since = now }
        count += 1
        return count >= 5 && since.duration(to: now) > .seconds(1)
    }
}
