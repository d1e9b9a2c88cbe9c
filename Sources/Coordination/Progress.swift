import Wire

/// Whether a run gets on: how long the stage at hand has not moved, and who must be told.
struct Progress: Sendable {
    /// The sum of everybody's progress, and the moment at which it last changed.
    private struct Movement {
        var sum: UInt64
        var since: Instant
    }

    /// Changes whenever the run gets on.
    private struct Place: Hashable {
        var committed: Int
        var counter: UInt32
        var movements: UInt64
    }

    /// The moment since which a stage has not moved, and the time that is usual.
    private struct Watch {
        var place: Place
        var since: Instant
        var patience: Milliseconds
    }

    /// Grows with every message that brings the stage at hand further.
    private var movements: UInt64 = 0
    private var lastMovement: Movement?
    private var watch: Watch?
    private var lastTick: Instant?
    private var lastHeartbeat: Instant?

    /// Something has brought the stage at hand further.
    mutating func moved() { movements += 1 }

    /// Another stage begins.
    mutating func begin() { lastMovement = nil }

    /// Nobody is to blame for what was before.
    mutating func excuse() {
        lastMovement = nil
        watch = nil
    }

    /// A tick; true if this process was itself stopped since the last one and has not listened.
    mutating func tick(_ deadlines: Deadlines, at now: Instant) -> Bool {
        defer { lastTick = now }
        return lastTick.map { $0 + deadlines.peerTimeout < now } ?? false
    }

    mutating func isHeartbeatDue(_ deadlines: Deadlines, at now: Instant) -> Bool {
        guard lastHeartbeat.map({ $0 + deadlines.heartbeat <= now }) ?? true else { return false }
        lastHeartbeat = now
        return true
    }

    /// Looks whether those whom the stage waits for get on with it; `work`: what their heartbeats
    /// say, added up.
    ///
    /// - Returns: milliseconds without a movement, once they are more than `patience`.
    mutating func standstill(
        _ work: [UInt64], patience: Milliseconds, at now: Instant
    ) -> Int64? {
        let sum = work.reduce(movements, &+)
        guard let last = lastMovement, last.sum == sum else {
            lastMovement = Movement(sum: sum, since: now)
            return nil
        }
        guard last.since + patience < now else { return nil }
        lastMovement = nil
        return now.milliseconds(since: last.since)
    }

    /// Looks whether a stage takes longer than it did before.
    ///
    /// - Returns: milliseconds of the wait when somebody must be told: then ever more rarely.
    mutating func longWait(
        committed: Int, counter: UInt32, usual: Milliseconds, at now: Instant
    ) -> Int64? {
        let place = Place(committed: committed, counter: counter, movements: movements)
        guard let known = watch, known.place == place else {
            watch = Watch(place: place, since: now, patience: usual)
            return nil
        }
        let silence = now.milliseconds(since: known.since)
        guard silence >= known.patience.count else { return nil }
        watch?.patience = Milliseconds(2 * known.patience.count)
        return silence
    }
}
