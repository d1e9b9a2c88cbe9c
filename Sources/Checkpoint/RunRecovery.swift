/// The place from which a run in a folder can go on, decided from checkpoints and ledger.
///
/// Looking changes nothing. The rule: the newest whole checkpoint whose next step the ledger
/// can take. That is one between the line before the ledger's first and its last. Where
/// there is none, it is the newest whole checkpoint with a ledger that begins anew. The old
/// ledger is kept under another name.
package struct RunRecovery: Sendable {
    /// The treatment of the ledger, under the run's lock.
    package enum Ledger: Equatable, Sendable {
        /// It is used as it is, but for a torn end.
        case asItIs
        /// It is kept under the name `kept`, and these of its bytes are the new one.
        case replaced(by: Range<Int>, kept: String)
    }

    /// The checkpoint to go on from; nil is the beginning.
    package let checkpoint: CheckpointFolder?
    /// The treatment of the ledger.
    package let ledger: Ledger
    /// The last step that stands: of the ledger as it will be, or the checkpoint's.
    package let lastStep: Int
    /// The highest incarnation that the ledger tells of.
    package let epoch: UInt32
    /// The faults that were found, and what is done about them.
    package let repairs: [Repair]
    /// The versions of the arithmetic that made the checkpoint and the ledger's lines.
    package let arithmetics: Set<Int>
    /// The size in bytes of the ledger that was looked at.
    let ledgerSize: Int

    /// Decides where the run can go on. Throws: `io`, `newer`.
    package static func find(in paths: RunPaths) throws(CheckpointError) -> RunRecovery {
        let survey = try LedgerSurvey(paths.ledger)
        var repairs: [Repair] = []
        let (checkpoint, newest) = try choose(paths, survey, &repairs)
        let step = checkpoint?.step ?? 0
        let ledger: Ledger
        var lastStep = step
        if let stretch = survey.stretches.last(where: { $0.follows(step) }) {
            let lastLine = stretch.steps.upperBound - 1
            if let newest, newest > lastLine {
                repairs.append(.ledgerBehind(lastLine: lastLine, newest: newest, from: step))
            }
            lastStep = max(step, lastLine)
            if let line = survey.firstFault?.line {
                let kept = freeName(beside: paths.ledger)
                ledger = .replaced(by: stretch.bytes, kept: kept)
                repairs.append(.ledgerMended(line: line, kept: kept, steps: stretch.steps))
            } else {
                ledger = .asItIs
            }
        } else if checkpoint == nil && survey.isTornLineAlone {
            ledger = .asItIs
        } else {
            let kept = survey.size > 0 ? freeName(beside: paths.ledger) : nil
            ledger = kept.map { .replaced(by: 0..<0, kept: $0) } ?? .asItIs
            if let why = survey.loss(at: step, isMissing: !exists(paths.ledger)) {
                repairs.append(.ledgerBegunAnew(why: why, kept: kept, step: step))
            }
        }
        return RunRecovery(
            checkpoint: checkpoint, ledger: ledger, lastStep: lastStep, epoch: survey.epoch,
            repairs: repairs,
            arithmetics: survey.arithmetics.union(checkpoint.map { [$0.arithmetic] } ?? []),
            ledgerSize: survey.size)
    }

    /// Throws: `otherArithmetic` unless all of the run was computed by this version of it.
    package func require(arithmetic ours: Int, of run: String) throws(CheckpointError) {
        guard let theirs = arithmetics.subtracting([ours]).min() else { return }
        throw .otherArithmetic(
            path: run, theirs: theirs, ours: ours, writer: checkpoint?.manifest.software)
    }

    /// The checkpoint to go on from, and the step of the newest whole one.
    private static func choose(
        _ paths: RunPaths, _ survey: LedgerSurvey, _ repairs: inout [Repair]
    ) throws(CheckpointError) -> (chosen: CheckpointFolder?, newest: Int?) {
        var newest: CheckpointFolder?
        for candidate in try CheckpointShelf(paths.checkpoints).candidates() {
            let fits = survey.stretches.contains { $0.follows(candidate.step) }
            guard newest == nil || fits else { continue }
            do throws(CheckpointError) {
                let folder = try CheckpointFolder(candidate.path)
                newest = newest ?? folder
                if fits { return (folder, newest?.step) }
            } catch {
                if case .newer = error { throw error }
                repairs.append(.checkpointPassedOver(path: candidate.path, error))
            }
        }
        return (newest, newest?.step)
    }

    /// Returns a name that nothing in the run's folder bears yet.
    private static func freeName(beside ledger: String) -> String {
        var index = 1
        while exists("\(ledger).kept-\(index)") { index += 1 }
        return "\(ledger).kept-\(index)"
    }

    /// Puts the ledger in order, as was decided. Only the holder of the run's lock may call it.
    ///
    /// Throws: `changed` when the ledger is not the one that was looked at, `io`.
    func apply(_ paths: RunPaths, _ operations: any FileOperations) throws(CheckpointError) {
        let size = exists(paths.ledger) ? try ReadableFile(paths.ledger).size : 0
        guard size == ledgerSize else { throw .changed(path: paths.folder) }
        guard case .replaced(let bytes, let kept) = ledger else { return }
        guard !exists(kept) else { throw .changed(path: paths.folder) }
        let stretch = try ReadableFile(paths.ledger).bytes(bytes)
        // A process that is stopped between these two leaves no ledger, and the next begins one
        // anew: nothing is lost, for the old one has its other name.
        try operations.rename(paths.ledger, to: kept)
        try operations.replace(paths.ledger, with: stretch)
    }
}

extension LedgerSurvey {
    /// Whether there is only a first line that was cut off as it was written.
    fileprivate var isTornLineAlone: Bool { last == nil && isSound }

    /// Returns the reason why no line can follow a state after `step`; nil
    /// where there is nothing to follow.
    fileprivate func loss(at step: Int, isMissing: Bool) -> Repair.LedgerLoss? {
        if let last {
            return last.steps.lowerBound - 1 > step
                ? .beginsAt(step: last.steps.lowerBound)
                : .endsAt(step: last.steps.upperBound - 1)
        }
        if size > 0 { return .damaged(line: firstFault?.line ?? 1) }
        guard step > 0 else { return nil }
        return isMissing ? .missing : .empty
    }
}
