/// The steps of a run that changed nothing, as its ledger says; decides when they are too many.
///
/// A function of the ledger alone: whoever resumes or verifies the run comes to the same end.
package struct SkippedSteps: Hashable, Sendable {
    /// Skipped one after another: the run has come to nothing.
    package static let inARow = 100
    /// Skipped since the first step, or up to the last: the run never began to learn, or ended
    /// without.
    package static let atAnEnd = 20

    /// Skipped steps in order; between two ranges lies at least one step that was not skipped.
    private var runs: [ClosedRange<Int>] = []

    /// Holds no step yet.
    package init() {}

    /// Takes note of a skipped step; of one that is known already, too, as when it is folded again.
    package mutating func add(_ step: Int) {
        guard let last = runs.last else {
            runs = [step...step]
            return
        }
        if step == last.upperBound + 1 {
            runs[runs.count - 1] = last.lowerBound...step
        } else if step > last.upperBound {
            runs.append(step...step)
        }
    }

    /// Skipped steps one after another, the last of which is `step`.
    package func count(upTo step: Int) -> Int {
        guard let run = runs.last(where: { $0.lowerBound <= step }), step <= run.upperBound else {
            return 0
        }
        return step - run.lowerBound + 1
    }

    /// Whether a run of so many steps must end at `step`.
    package func areTooMany(at step: Int, of steps: Int) -> Bool {
        let count = count(upTo: step)
        return count >= Self.inARow
            || count >= Self.atAnEnd && (count == step || step >= steps)
    }
}
