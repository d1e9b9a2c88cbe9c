/// The usable parts of a ledger that may be damaged anywhere: its stretches of
/// whole lines of consecutive steps.
struct LedgerSurvey: Sendable {
    struct Stretch: Equatable, Sendable {
        var steps: Range<Int>
        /// The bytes of its lines.
        var bytes: Range<Int>
        /// The bytes of the last of them, its newline included.
        var lastLine: Range<Int>

        /// Whether a run can go on from the state after `step`: its line, or the one before the first.
        func follows(_ step: Int) -> Bool {
            steps.lowerBound - 1 <= step && step < steps.upperBound
        }
    }

    /// The stretches in the order of the file.
    private(set) var stretches: [Stretch] = []
    /// The first line that is damaged or out of order, counted from 1; a torn end is none.
    private(set) var firstFault: (line: Int, fault: LedgerFault)?
    /// The size of the file, in bytes.
    let size: Int
    /// The highest incarnation in which a line was written; 0 without lines.
    private(set) var epoch: UInt32 = 0
    /// The versions of the arithmetic that computed its whole lines.
    private(set) var arithmetics: Set<Int> = []
    private var lines = 0
    private var pendingFault: (line: Int, fault: LedgerFault)?

    /// Reads the ledger; a missing file is an empty one. Throws: `io`, `newer`.
    init(_ path: String) throws(CheckpointError) {
        guard exists(path) else {
            size = 0
            return
        }
        let file = try ReadableFile(path)
        size = file.size
        var (pending, start): ([UInt8], Int) = ([], 0)
        try file.stream(0..<file.size) { (bytes) throws(CheckpointError) in
            var rest = bytes
            while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
                pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<newline]))
                let end = start + pending.count + 1
                try take(pending, start..<end, of: path)
                start = end
                pending.removeAll(keepingCapacity: true)
                rest = UnsafeRawBufferPointer(rebasing: rest[(newline + 1)...])
            }
            pending.append(contentsOf: rest)
        }
        // A line without its newline follows: the one before it was no torn end.
        if !pending.isEmpty { confirm() }
        for stretch in stretches {
            let last = try file.bytes(stretch.lastLine).dropLast()
            guard case .success(let entry) = LedgerEntry.decode(Array(last)) else { continue }
            epoch = max(epoch, entry.generation.epoch)
        }
    }

    /// The last stretch; nil when no line is whole.
    var last: Stretch? { stretches.last }

    /// Whether all of the file but a torn end is one stretch.
    var isSound: Bool { firstFault == nil }

    private mutating func take(
        _ line: [UInt8], _ bytes: Range<Int>, of path: String
    ) throws(CheckpointError) {
        lines += 1
        confirm()
        guard let body = LedgerEntry.verifiedBody(line) else {
            pendingFault = (lines, .checksum)
            return
        }
        try LedgerIndex.requireKnown(body, path: path)
        arithmetics.insert(LedgerEntry.arithmetic(ofVerified: body))
        guard let step = LedgerEntry.step(ofVerified: body),
            LedgerEntry.possibleSteps.contains(step)
        else {
            pendingFault = (lines, .notJSON)
            return
        }
        if let last = stretches.last, last.steps.upperBound == step,
            last.bytes.upperBound == bytes.lowerBound
        {
            stretches[stretches.count - 1].steps = last.steps.lowerBound..<step + 1
            stretches[stretches.count - 1].bytes = last.bytes.lowerBound..<bytes.upperBound
            stretches[stretches.count - 1].lastLine = bytes
            return
        }
        if let last = stretches.last, firstFault == nil {
            firstFault = (lines, .step(expected: last.steps.upperBound, found: step))
        }
        stretches.append(Stretch(steps: step..<step + 1, bytes: bytes, lastLine: bytes))
    }

    /// Something follows the line that was found at fault.
    private mutating func confirm() {
        firstFault = firstFault ?? pendingFault
        pendingFault = nil
    }
}
