/// What a campaign must have met at least once; otherwise it has not tried what it says.
package enum RareBranch: String, Sendable, CaseIterable {
    /// A worker dies while the others count on it for a piece of the state or a checkpoint.
    case donorDies = "a donor dies while it gives"
    case pupilDies = "a pupil dies while it learns"
    case coordinatorDiesAfterLine = "the coordinator dies between ledger and commit"
    case coordinatorDiesWhileWriting = "the coordinator dies while a checkpoint is written"
    case twoFaultsInOneVote = "two faults fall into one vote"
    case voterDies = "a worker dies between its vote and the commit"
    case formsWhileLastBreaks = "a ring forms while the last one breaks"
    case losesLines = "lines of the ledger are lost with the power"
    case adoptsLines = "a ledger takes back lines that only workers have"
    case withholdsCommit = "a commit waits for the disk"
    case findsFlippedBit = "a vote names the worker whose memory has changed"
    case dropsStaleFrame = "a frame of an older ring comes into a newer one"
    case dropsRepeatedFrame = "a frame comes twice"
    case keepsEarlyFrame = "a frame comes before the order of its step"
    case waitsForReader = "a step waits until the last one's total has been read"
    case breaksByViolation = "a ring breaks by a frame that no sound worker sends"
    case cannotRead = "a gradient cannot be read where it lies"
    case sumsInPlace = "sums are made in place"
    case readsMemory = "sums are read in a neighbour's memory"
}
