/// The places of a ledger's lines: verified, of consecutive steps; the lines stay on the disk.
///
/// Reading it changes nothing, so it may be done beside a run that writes.
package struct LedgerIndex: Sendable {
    /// The path of the ledger.
    package let path: String
    /// The number of bytes after the last whole line: the rest of a write that was cut off.
    package private(set) var tornBytes = 0
    /// The offset at which each line begins, and the end of the last, in bytes.
    private(set) var offsets = [0]
    private var first = 0
    private let file: ReadableFile?

    /// The steps of the lines; empty when there are none.
    package var steps: Range<Int> { first..<first + offsets.count - 1 }
    var end: Int { offsets[offsets.count - 1] }

    /// Reads the ledger; a missing file is an empty one. Throws: `io`, `newer`; `ledger` with the
    /// number of the first line that is damaged or out of order. A last line that is merely damaged
    /// is none of these: that is a torn write.
    package init(_ path: String) throws(CheckpointError) {
        self.path = path
        guard exists(path) else {
            file = nil
            return
        }
        let file = try ReadableFile(path)
        self.file = file
        var pending: [UInt8] = []
        var damaged: CheckpointError?
        try file.stream(0..<file.size) { (bytes) throws(CheckpointError) in
            var rest = bytes
            while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
                // Something follows the damaged line, so it is no torn end.
                if let damaged { throw damaged }
                pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<newline]))
                damaged = try accept(pending)
                pending.removeAll(keepingCapacity: true)
                rest = UnsafeRawBufferPointer(rebasing: rest[(newline + 1)...])
            }
            pending.append(contentsOf: rest)
        }
        if let damaged, !pending.isEmpty { throw damaged }
        tornBytes = file.size - end
    }

    /// Returns the entry of a step, nil when there is none. Throws: `io`, `cutShort`, `ledger`.
    package func entry(_ step: Int) throws(CheckpointError) -> LedgerEntry? {
        guard steps.contains(step) else { return nil }
        let index = step - first
        let file = if let file { file } else { try ReadableFile(path) }
        let line = try file.array(of: UInt8.self, offsets[index]..<offsets[index + 1] - 1)
        switch LedgerEntry.decode(line) {
        case .success(let entry): return entry
        case .failure(let refusal): throw .ledger(path: path, line: index + 1, fault: refusal.fault)
        }
    }

    /// Takes note of a line that now stands at the end.
    mutating func append(step: Int, bytes: Int) {
        if steps.isEmpty { first = step }
        precondition(step == steps.upperBound, "step \(step) after \(steps)")
        offsets.append(end + bytes)
    }

    /// Checks that a line of that step may stand at the end. Throws: `ledger` if not.
    func requireNext(_ step: Int) throws(CheckpointError) {
        let isNext = steps.isEmpty || step == steps.upperBound
        guard isNext && LedgerEntry.possibleSteps.contains(step) else {
            let expected = steps.isEmpty ? 1 : steps.upperBound
            throw .ledger(
                path: path, line: nextLine, fault: .step(expected: expected, found: step))
        }
    }

    /// Checks that this version knows a line's format. Throws: `newer` if not.
    static func requireKnown(_ body: [UInt8], path: String) throws(CheckpointError) {
        let format = LedgerEntry.format(ofVerified: body)
        guard format > LedgerEntry.format else { return }
        throw .newer(path: path, format: format, known: LedgerEntry.format, writer: nil)
    }

    private var nextLine: Int { offsets.count }

    /// Notes a line, without its newline; returns the error of one whose checksum does not hold.
    private mutating func accept(_ line: [UInt8]) throws(CheckpointError) -> CheckpointError? {
        guard let body = LedgerEntry.verifiedBody(line) else {
            return .ledger(path: path, line: nextLine, fault: .checksum)
        }
        try Self.requireKnown(body, path: path)
        guard let step = LedgerEntry.step(ofVerified: body) else {
            throw .ledger(path: path, line: nextLine, fault: .notJSON)
        }
        try requireNext(step)
        append(step: step, bytes: line.count + 1)
        return nil
    }
}
