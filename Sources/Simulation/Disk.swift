import Coordination
import Wire

/// The coordinator's files: a ledger and checkpoints that survive it, all but what is not synced.
struct Disk {
    private(set) var ledger: [CommittedLine] = []
    private(set) var durableLines = 0
    private(set) var checkpoints: [ToyState] = []
    private var writing: ToyAssembly?
    private var writingStep: Int?
    var isFailing = false

    var isWriting: Bool { writing != nil }

    var newest: ToyState? { checkpoints.last }

    /// Appends the next line; false if the disk fails.
    mutating func append(_ line: CommittedLine) -> Bool {
        guard !isFailing else { return false }
        ledger.append(line)
        return true
    }

    mutating func synchronize() { durableLines = ledger.count }

    /// False if the disk fails.
    mutating func write(_ slice: StateSlice) -> Bool {
        guard !isFailing else { return false }
        if slice.section == .parameters && slice.offset == 0 {
            writing = ToyAssembly()
            writingStep = slice.step
        }
        guard writingStep == slice.step else { return true }
        _ = writing?.store(slice)
        return true
    }

    /// Nil if there is nothing of that step to be made whole, false if the disk fails.
    mutating func commit(_ step: Int) -> Bool? {
        guard let whole = writing, writingStep == step, whole.isComplete else { return nil }
        writing = nil
        writingStep = nil
        guard !isFailing else { return false }
        checkpoints.removeAll { $0.step == step }
        checkpoints.append(whole.state)
        checkpoints.sort { $0.step < $1.step }
        if checkpoints.count > 2 { checkpoints.removeFirst() }
        return true
    }

    mutating func abandon(_ step: Int) {
        guard writingStep == step else { return }
        writing = nil
        writingStep = nil
    }

    /// The process is gone; without power so is what was not synced.
    mutating func crash(losingPower: Bool) {
        writing = nil
        writingStep = nil
        if losingPower { ledger.removeLast(ledger.count - durableLines) }
        durableLines = ledger.count
    }
}
