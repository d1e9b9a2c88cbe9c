import Coordination
import Wire

/// Looks at everything that must never happen, when it happens.
struct Audit {
    let undisturbed: Undisturbed
    private(set) var violation: String?
    /// Every line that was ever written, lost by the disk or not.
    private var lines: [Int: CommittedLine] = [:]
    private var truths: [String: [(start: Double, end: Double)]] = [:]
    /// Spans of workers that were held against the world's own clock.
    private(set) var spansSeen = 0

    init(_ undisturbed: Undisturbed) { self.undisturbed = undisturbed }

    mutating func fail(_ reason: String) { violation = violation ?? reason }

    /// A step is about to be written to the ledger, or compared with its line.
    mutating func records(_ line: CommittedLine, in disk: Disk) {
        let last = disk.ledger.last?.step ?? 0
        if line.step > last + 1 { fail("step \(line.step) follows step \(last) in the ledger") }
        if let known = lines[line.step], !known.tellsTheSame(as: line) {
            fail("step \(line.step) was committed twice, with different results")
        }
        if line.total != undisturbed.totals[line.step] {
            fail("the total of step \(line.step) is not the undisturbed run's")
        }
        if line.state != undisturbed.states[line.step - 1] {
            fail("the state before step \(line.step) is not the undisturbed run's")
        }
        lines[line.step] = line
    }

    /// A commit is about to be sent.
    mutating func commits(_ commit: Commit, in disk: Disk) {
        guard let line = disk.ledger.last(where: { $0.step == commit.step }) else {
            return fail("step \(commit.step) is committed without a line in the ledger")
        }
        if !line.tellsTheSame(as: commit.line) {
            fail("step \(commit.step) is committed with another total")
        }
    }

    /// A worker was at something, by the world's own clock.
    mutating func was(
        _ phase: PhaseSpan.Phase, _ worker: String, step: Int, from start: Double, to end: Double
    ) {
        truths["\(worker) \(phase) \(step)", default: []].append((start, end))
    }

    /// Somebody was at something, as the coordinator reckons: no more than the stated error off.
    mutating func sees(_ span: PhaseSpan, at now: Double) {
        // A step that is folded again has several. Folds are not looked at where plans say how long
        // members are to have waited.
        let known = span.worker.flatMap { truths["\($0) \(span.phase) \(span.step)"] }
        guard let worker = span.worker, let known else { return }
        spansSeen += 1
        // Beyond what is lost by rounding to microseconds.
        let error = span.clockError + 2e-6
        if span.start > span.end || span.end > now + error {
            fail("at \(now) s, a span from \(span.start) to \(span.end) s")
        }
        let isRight = known.contains {
            abs($0.start - span.start) <= error && abs($0.end - span.end) <= error
        }
        if !isRight {
            fail("\(worker) was at \(span.phase) of step \(span.step) \(known), not \(span)")
        }
    }

    /// A worker is about to update its state.
    mutating func updates(
        _ worker: SimulatedWorker, step: Int, from state: ToyState, by total: [Float]
    ) {
        if lines[step] == nil { fail("\(worker.name) updates by step \(step), never recorded") }
        if ToyModel.digest(ofTotal: total) != undisturbed.totals[step] {
            fail("\(worker.name) updates by step \(step) with another total")
        }
        if state.step != step - 1 || state.digest != undisturbed.states[step - 1] {
            fail("\(worker.name) updates by step \(step) from another state")
        }
    }

    /// A coordinator starts from what is on disk.
    mutating func resumes(from disk: Disk) {
        let last = disk.ledger.last?.step ?? 0
        if disk.ledger.map(\.step) != Array(0..<last).map({ $0 + 1 }) {
            fail("the ledger has gaps: \(disk.ledger.map(\.step))")
        }
        for checkpoint in disk.checkpoints {
            if checkpoint.step > last { fail("checkpoint \(checkpoint.step) is not in the ledger") }
            if checkpoint.digest != undisturbed.states[checkpoint.step] {
                fail("checkpoint \(checkpoint.step) is not the undisturbed run's state")
            }
        }
    }

    /// The run says that it is finished.
    mutating func finishes(with disk: Disk, steps: Int) {
        resumes(from: disk)
        if disk.ledger.count != steps { fail("\(disk.ledger.count) of \(steps) steps recorded") }
        if disk.newest?.step != steps { fail("the last checkpoint is missing") }
    }
}

extension CommittedLine {
    /// Whether it is the same step of the same history, whichever ring folded it.
    func tellsTheSame(as other: CommittedLine) -> Bool {
        step == other.step && total == other.total && state == other.state
            && loss == other.loss && skipped == other.skipped
    }
}
