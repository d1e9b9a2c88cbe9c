import Wire

/// What a run has come to: the state from which it goes on, and the end of its ledger.
struct History: Sendable {
    /// The source of the state when no worker holds it.
    private(set) var origin: Origin
    /// The step of the state from which the run goes on.
    private(set) var committed: Int
    /// The last step whose line is known to be on disk.
    private(set) var durable: Int
    /// The last line of the ledger: `committed` is below it while steps are folded once more.
    private var recorded: CommittedLine?
    /// The steps that changed nothing, those of earlier incarnations included.
    private var skips: SkippedSteps

    init(resumedFrom checkpoint: Int?, recorded: CommittedLine?, skips: SkippedSteps) {
        self.recorded = recorded
        self.skips = skips
        origin = checkpoint.map { .checkpoint(step: $0) } ?? .seed
        committed = max(origin.step, recorded?.step ?? 0)
        durable = recorded?.step ?? 0
    }

    /// The step of the ledger's last line; 0 without one.
    var recordedStep: Int { recorded?.step ?? 0 }

    /// The last step that stands.
    var lastCommitted: Int { max(committed, recordedStep) }

    /// The step that a worker holds, if the ledger has it: only then it is of this history.
    func usable(_ held: Int?) -> Int? { held.flatMap { $0 <= lastCommitted ? $0 : nil } }

    /// Goes on from the latest recorded state that any worker holds, or from the last checkpoint.
    ///
    /// Forwards too: one that holds more than the others may come back while they fold again.
    ///
    /// - Returns: whether steps are to be folded once more.
    mutating func goOn(fromBestOf held: [Int]) -> Bool {
        let best = max(origin.step, held.max() ?? 0)
        defer { committed = best }
        return best < committed
    }

    /// A step counts from here on: its line goes to the ledger.
    mutating func commit(_ line: CommittedLine) {
        if line.step > recordedStep { recorded = line }
        committed = line.step
        if line.skipped { skips.add(line.step) }
    }

    /// Takes committed steps of earlier incarnations back into a ledger that has lost them.
    ///
    /// - Returns: the lines that follow on the ledger's end.
    mutating func adopt(_ lines: [CommittedLine], before epoch: UInt32) -> [CommittedLine] {
        var adopted: [CommittedLine] = []
        for line in lines where line.step == lastCommitted + 1 && line.generation.epoch < epoch {
            adopted.append(line)
            recorded = line
            if line.skipped { skips.add(line.step) }
        }
        return adopted
    }

    /// Returns the line that commits what a worker has folded on the state that it holds.
    func line(for folded: FoldedStep, on held: Int?) -> CommittedLine? {
        guard let line = recorded, line.step == folded.step, held == line.step - 1,
            folded.state == line.state, line.skipped || folded.total == line.total
        else { return nil }
        return line
    }

    /// A checkpoint is whole on the disk.
    mutating func saved(step: Int) {
        if step > origin.step { origin = .checkpoint(step: step) }
    }

    mutating func synchronized(step: Int) { durable = max(durable, step) }

    /// Skipped steps one after another, the last of which is `step`.
    func skipped(upTo step: Int) -> Int { skips.count(upTo: step) }

    /// Whether a run of so many steps must end at `step`, since too many were skipped.
    func isHopeless(at step: Int, of steps: Int) -> Bool { skips.areTooMany(at: step, of: steps) }
}
