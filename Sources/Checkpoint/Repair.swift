/// The reason why a file could not be used as it was.
package enum FileFault: Equatable, Codable, Sendable {
    case missing, empty
    /// Cut short, or damaged elsewhere.
    case torn
}

/// A repair to a run's folder when the run was taken up again: the
/// fault, and what was done about it.
package enum Repair: Equatable, Codable, Sendable {
    /// A checkpoint that is not whole was passed over.
    case checkpointPassedOver(path: String, CheckpointError)
    /// Bytes of a torn last line that were cut off the ledger: that step is done again.
    case ledgerCut(bytes: Int)
    /// The ledger ends before the newest checkpoint: an older one is gone on from.
    case ledgerBehind(lastLine: Int, newest: Int, from: Int)
    /// The old lines were put aside under the name `kept`, nil where there were none. The
    /// ledger begins anew behind `step`.
    case ledgerBegunAnew(why: LedgerLoss, kept: String?, step: Int)
    /// A line within the ledger is damaged: all of it is kept as `kept`, the steps `steps` stay in use.
    case ledgerMended(line: Int, kept: String, steps: Range<Int>)
    /// Lines of `metrics.jsonl` of steps that are done again, or the bytes of a torn one, were cut.
    case metricsCut(lines: Int, bytes: Int)
    /// `metrics.jsonl` lacks steps that the ledger has.
    case metricsLack(steps: ClosedRange<Int>)
    /// The settings were taken from a checkpoint.
    case settingsFromCheckpoint(path: String, why: FileFault)
    /// The run has a new number: workers that still run take its state anew.
    case identityDrawn(why: FileFault)
    /// The counter of incarnations could not be used: the run has a new number, too.
    case incarnationLost(why: FileFault)
    /// The counter was behind the ledger's lines.
    case incarnationBehind(counter: UInt32, ledger: UInt32)
    /// The fingerprint of the text could not be read: that of the
    /// checkpoint counts, where there is one.
    case fingerprintLost(why: FileFault, checkpoint: String?)
    /// Another token was made: workers elsewhere need it.
    case tokenRenewed(why: FileFault)
    /// Another key was made, and a token that fits it.
    case keyRenewed

    enum CheckpointPassedOverCodingKeys: String, CodingKey {
        case path
        case _1 = "error"
    }

    /// The reason why a ledger had to begin anew.
    package enum LedgerLoss: Equatable, Codable, Sendable {
        case missing, empty
        /// Its last line is of this step, and no whole checkpoint is as old.
        case endsAt(step: Int)
        /// Its first line is of this step, and the newest whole checkpoint is older than that.
        case beginsAt(step: Int)
        /// No line can be read on which a run could go on.
        case damaged(line: Int)
    }
}
