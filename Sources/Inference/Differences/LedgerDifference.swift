import Checkpoint

/// Where two runs part, by their ledgers.
package struct LedgerDifference: Sendable, Equatable {
    /// The first step at which they part, and what differs there.
    package struct Parting: Sendable, Equatable {
        /// The step.
        package let step: Int
        /// What differs first in the line, in the order in which a step comes about.
        package let subject: Subject
        /// What the first ledger says.
        package let first: String
        /// What the second ledger says.
        package let second: String
    }

    /// What may differ in the lines of one step.
    package enum Subject: String, Sendable {
        case arithmetic, samples, state, labels, loss, verdict, total
    }

    /// The steps that the first ledger has.
    package let first: Range<Int>
    /// The steps that the second ledger has.
    package let second: Range<Int>
    /// Nil if all steps that both have agree.
    package let parting: Parting?

    /// The steps that both have.
    package var common: Range<Int> { first.clamped(to: second) }

    /// Reads two ledgers side by side; `nil` if one of the runs has none.
    ///
    /// Who computed a step, and in which arrangement, is no difference. Throws: `io`, `newer`, `ledger`,
    /// `cutShort`.
    package init?(_ first: RunPaths, _ second: RunPaths) throws(CheckpointError) {
        let (one, other) = (try LedgerIndex(first.ledger), try LedgerIndex(second.ledger))
        guard !one.steps.isEmpty, !other.steps.isEmpty else { return nil }
        self.first = one.steps
        self.second = other.steps
        var parting: Parting?
        for step in one.steps.clamped(to: other.steps) {
            guard let mine = try one.entry(step), let theirs = try other.entry(step) else { break }
            parting = Self.parting(mine, theirs)
            if parting != nil { break }
        }
        self.parting = parting
    }

    private static func parting(_ one: LedgerEntry, _ other: LedgerEntry) -> Parting? {
        func parting(_ subject: Subject, _ first: String, _ second: String) -> Parting? {
            first == second
                ? nil
                : Parting(step: one.step, subject: subject, first: first, second: second)
        }
        if one.samples != other.samples {
            return Parting(
                step: one.step, subject: .samples, first: described(one.samples),
                second: described(other.samples))
        }
        return parting(.arithmetic, "\(one.arithmetic ?? 1)", "\(other.arithmetic ?? 1)")
            ?? parting(.state, one.state, other.state)
            ?? parting(.labels, "\(one.labels)", "\(other.labels)")
            // NaNs are one loss, whatever their sign.
            ?? (one.loss.isNaN && other.loss.isNaN
                ? nil : parting(.loss, "\(one.loss)", "\(other.loss)"))
            ?? parting(.verdict, one.verdict.rawValue, other.verdict.rawValue)
            // The total of a step that was skipped is no number that anything depends on.
            ?? (one.verdict == .skipped ? nil : parting(.total, one.total, other.total))
    }

    private static func described(_ samples: [[Int]]) -> String {
        let count = samples.reduce(0) { $0 + $1.count }
        let shown = samples.joined().prefix(4).map(String.init).joined(separator: ", ")
        return "\(count) in \(samples.count) shards: \(shown)\(count > 4 ? ", …" : "")"
    }
}
