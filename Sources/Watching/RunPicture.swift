import Checkpoint
import Coordination
import Events

/// How a run stands, from what its observers have been told.
package struct RunPicture: Sendable {
    /// A worker of the run, there or lost.
    package struct Worker: Sendable, Equatable {
        /// The name that the coordinator gave it.
        package var name: String
        /// The name of its host; empty where that was not told.
        package var host: String
        /// Its computing threads; 0 where that was not told.
        package var threads = 0
        /// Its shards of a step; 0 outside the ring.
        package var shards = 0
        /// When it was lost, in seconds since 1970; nil for one that is there.
        package var lostAt: Double?
        /// It takes the state from the others.
        package var isLearning = false
    }

    /// The run before its first step.
    package private(set) var summary: RunSummary?
    /// Where workers find the coordinator.
    package private(set) var listening: Listening?
    /// In the order in which they came; those who are lost stay for a while.
    package private(set) var workers: [Worker] = []
    /// The members of the ring, in its order.
    package private(set) var ring: [String] = []
    /// The last committed step.
    package private(set) var step: StepReport?
    /// The last checkpoint.
    package private(set) var checkpoint: SavedCheckpoint?
    /// How the run ended; nil while it goes on.
    package private(set) var ending: Ending?
    /// When the last event was told, in seconds since 1970.
    package private(set) var toldAt = 0.0
    private var steppedAt = 0.0
    private var recent: [(time: Double, step: Int)] = []
    private var awaited: (workers: [Awaited], since: Double)?
    private var gathering: (names: [String], missing: Int, since: Double)?
    private var paused: (error: CheckpointError, since: Double)?
    private var recovering: (lost: [String], since: Double)?

    /// Lost workers that stay.
    private static let lostKept = 8

    /// Begins with nothing known.
    package init() {}

    /// Takes an event, in order.
    package mutating func take(_ event: RunEvent) {
        toldAt = event.time
        switch event.report {
        case .prepared(let value):
            self = RunPicture()
            toldAt = event.time
            summary = value
        case .listening(let value): listening = value
        case .step(let value): take(value, at: event.time)
        case .checkpoint(let value): checkpoint = value
        case .ledgerFailed(let error): paused = paused ?? (error, event.time)
        case .ledgerRecovered: paused = nil
        case .ended(let value): ending = value
        case .note(let note): take(note, at: event.time)
        default: break
        }
    }

    private mutating func take(_ report: StepReport, at time: Double) {
        step = report
        steppedAt = time
        (awaited, recovering, gathering, paused) = (nil, nil, nil, nil)
        recent.append((time, report.step))
        if recent.count > 50 { recent.removeFirst() }
    }

    private mutating func take(_ note: CoordinatorNote, at time: Double) {
        switch note {
        case .joined(let name, let host, _, let threads, _):
            workers.removeAll { $0.name == name }
            workers.append(Worker(name: name, host: host, threads: threads))
        case .teaching(let name, _): change(name) { $0.isLearning = true }
        case .lost(let name, let host, _, _, _):
            change(name) {
                $0.lostAt = time
                $0.shards = 0
                $0.isLearning = false
            }
            let wasMember = ring.contains(name)
            ring.removeAll { $0 == name }
            if wasMember, step != nil {
                let who = host.isEmpty ? name : "\(name) on \(host)"
                recovering = ((recovering?.lost ?? []) + [who], recovering?.since ?? time)
            }
            dropOldLosses()
        case .formed(_, let members, let bounds):
            ring = members
            for index in workers.indices where workers[index].lostAt == nil {
                workers[index].shards = 0
            }
            for (name, ends) in zip(members, zip(bounds, bounds.dropFirst())) {
                change(name) {
                    $0.shards = ends.1 - ends.0
                    $0.isLearning = false
                }
            }
            gathering = nil
        case .allGone: ring = []
        case .awaiting(_, let workers, let milliseconds):
            awaited = (workers, time - Double(milliseconds) / 1000)
        case .gathering(let names, let missing, let milliseconds):
            gathering = (names, missing, time - Double(milliseconds) / 1000)
        default: break
        }
    }

    private mutating func change(_ name: String, _ body: (inout Worker) -> Void) {
        if let index = workers.firstIndex(where: { $0.name == name }) {
            body(&workers[index])
        } else {
            var worker = Worker(name: name, host: "")
            body(&worker)
            workers.append(worker)
        }
    }

    private mutating func dropOldLosses() {
        var more = workers.count { $0.lostAt != nil } - Self.lostKept
        workers.removeAll { worker in
            guard worker.lostAt != nil, more > 0 else { return false }
            more -= 1
            return true
        }
    }

    /// Seconds of a step, of the recent ones.
    package var secondsPerStep: Double? {
        guard let first = recent.first, let last = recent.last, last.step > first.step else {
            return step.map(\.stepSeconds)
        }
        return (last.time - first.time) / Double(last.step - first.step)
    }

    /// The last step of the run, where it has one.
    package var lastStep: Int? {
        summary.flatMap { $0.steps < Int(Int32.max) ? $0.steps : nil }
    }
}

/// What a run is at, in short, and since when that is known.
package struct Verdict: Sendable, Equatable {
    /// What is told of it.
    package enum Kind: Sendable, Equatable {
        /// Nothing has been told yet.
        case unknown
        case training(tokensPerSecond: Double, secondsLeft: Double?)
        /// No step for some time, and nobody has been named.
        case slow(step: Int, usual: Double)
        case waits([Awaited])
        case gathering(names: [String], missing: Int)
        case starting
        case recovering(lost: [String])
        case paused(CheckpointError)
        case ended(Ending)
        /// Its coordinator is gone without a word.
        case abandoned(step: Int)
        /// Only measurements are there, up to this step.
        case measured(step: Int)
    }

    /// How much it asks for a look.
    package enum Weight: String, Sendable { case good, waiting, bad, over }

    /// What is told of it.
    package var kind: Kind
    /// Seconds since 1970 from which on that holds.
    package var since: Double
    /// Seconds since 1970 of what it is based on.
    package var asOf: Double
}

extension RunPicture {
    /// What the run is at.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - isHeld: a coordinator has the folder open.
    ///   - measured: the last step of `metrics.jsonl`.
    package func verdict(now: Double, isHeld: Bool, measured: Int) -> Verdict {
        let (kind, since) = kind(now: now, isHeld: isHeld, measured: measured)
        return Verdict(kind: kind, since: since, asOf: toldAt)
    }

    /// A coordinator of another host holds no lock here: silence tells.
    private static let silence = 10.0

    private func kind(now: Double, isHeld: Bool, measured: Int) -> (Verdict.Kind, Double) {
        if toldAt == 0 { return (measured > 0 ? .measured(step: measured) : .unknown, 0) }
        if let ending { return (.ended(ending), toldAt) }
        if !isHeld, now - toldAt > (listening == nil ? Self.silence : 1.5) {
            return (.abandoned(step: step?.step ?? summary?.resumedFrom ?? 0), toldAt)
        }
        if let paused { return (.paused(paused.error), paused.since) }
        if let recovering { return (.recovering(lost: recovering.lost), recovering.since) }
        if let awaited { return (.waits(awaited.workers), awaited.since) }
        guard let step else {
            guard let gathering else { return (.starting, toldAt) }
            return (
                .gathering(names: gathering.names, missing: gathering.missing), gathering.since
            )
        }
        let usual = secondsPerStep ?? 1
        if now - steppedAt > 2 + 4 * usual, now - toldAt > 2 + 2 * usual {
            return (.slow(step: step.step + 1, usual: usual), steppedAt)
        }
        let left = lastStep.map { usual * Double(max(0, $0 - step.step)) }
        return (
            .training(tokensPerSecond: Double(step.tokens) / max(usual, 1e-9), secondsLeft: left),
            steppedAt
        )
    }
}

extension Verdict {
    /// How much it asks for a look.
    package var weight: Weight {
        switch kind {
        case .training: .good
        case .unknown, .gathering, .starting, .slow, .waits, .measured: .waiting
        case .recovering, .paused, .abandoned: .bad
        case .ended(let ending):
            switch ending.outcome {
            case .finished, .stopped: .over
            default: .bad
            }
        }
    }
}
