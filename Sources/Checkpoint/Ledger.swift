/// The record of committed steps, `ledger.jsonl`: a line stands in it before the commit is said.
package final class Ledger {
    /// The longest time that a line stands unsynchronized. Power loss may take the last second's
    /// lines, whose steps are then folded again.
    package static let patience = Duration.seconds(1)

    /// The number of bytes of a torn last line that opening has cut.
    package let tornBytes: Int
    private var index: LedgerIndex
    private let file: LineFile
    private var unsynchronizedSince: ContinuousClock.Instant?

    /// The path of the file.
    package var path: String { file.path }
    /// The steps that stand in it; empty when there are none.
    package var steps: Range<Int> { index.steps }
    /// The time by which the oldest unsynchronized line has to be durable; nil when all are.
    package var synchronizationDue: ContinuousClock.Instant? {
        unsynchronizedSince?.advanced(by: Self.patience)
    }

    /// Opens a ledger, made when it is missing, and cuts a torn last line.
    /// Throws: `io`; `ledger` when a line before the last is damaged or steps are not consecutive.
    package init(
        _ path: String, operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) {
        let index = try LedgerIndex(path)
        file = try LineFile(path, end: index.end, operations: operations)
        tornBytes = index.tornBytes
        self.index = index
    }

    /// Writes the line of the next step, and makes all lines durable when they are due.
    /// Throws: `io`, then the line is not in the ledger and the step must not be committed; `ledger`
    /// when the step is not the next.
    package func append(
        _ entry: LedgerEntry, now: ContinuousClock.Instant
    ) throws(CheckpointError) {
        try index.requireNext(entry.step)
        let line = try entry.line()
        let isDue = synchronizationDue.map { now >= $0 } ?? false
        try file.append(line, synchronizing: isDue)
        index.append(step: entry.step, bytes: line.count)
        unsynchronizedSince = isDue ? nil : unsynchronizedSince ?? now
    }

    /// Makes all lines durable; also to be called before a checkpoint is committed. Throws: `io`.
    package func synchronize() throws(CheckpointError) {
        guard unsynchronizedSince != nil else { return }
        try file.synchronize()
        unsynchronizedSince = nil
    }

    /// Makes all lines durable if the oldest has waited long enough. Throws: `io`.
    package func synchronizeIfDue(now: ContinuousClock.Instant) throws(CheckpointError) {
        if let due = synchronizationDue, now >= due { try synchronize() }
    }

    /// Returns the entry of a step, nil when there is none. Throws: `io`, `cutShort`, `ledger`.
    package func entry(_ step: Int) throws(CheckpointError) -> LedgerEntry? {
        try index.entry(step)
    }
}
