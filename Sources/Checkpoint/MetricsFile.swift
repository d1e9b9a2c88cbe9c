/// A file of measurements, one JSON object a line, `metrics.jsonl`: for people and plots, nothing
/// depends on it.
package final class MetricsFile {
    /// The number of bytes that opening has cut off: a torn last line, and lines of
    /// steps that are to be done again.
    package let cutBytes: Int
    /// The number of lines of steps after the last that stands.
    package let cutLines: Int
    /// The highest step of a line; 0 without lines.
    package private(set) var lastStep: Int
    private let file: LineFile

    /// Opens a file, made when it is missing. It goes on behind its last whole line of a
    /// step up to `last`. Throws: `io`.
    package init(
        _ path: String, last: Int = .max, operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) {
        var end = MetricsEnd(last: last)
        if exists(path) {
            let existing = try ReadableFile(path)
            try existing.stream(0..<existing.size) { end.take($0) }
        }
        cutBytes = end.size - end.end
        cutLines = end.linesBehind
        lastStep = end.lastStep
        file = try LineFile(
            path, end: end.end, operations: operations, isDurable: false)
    }

    /// Appends a line; NaN and infinities become strings. Throws: `notEncodable`; `io`, then the
    /// file is as before.
    package func append(_ values: some Encodable) throws(CheckpointError) {
        try file.append(encoded(values, for: file.path) + [UInt8(ascii: "\n")])
    }

    /// Appends the line of a step, unless the file has one of that step or a later one: a step that
    /// is folded again has been measured before.
    package func append(_ values: some Encodable, step: Int) throws(CheckpointError) {
        guard step > lastStep else { return }
        try append(values)
        lastStep = step
    }
}

/// Finds where the lines of the steps that stand end.
private struct MetricsEnd {
    let last: Int
    /// The number of bytes read.
    var size = 0
    /// The offset behind the last line that stays.
    var end = 0
    var lastStep = 0
    /// The number of whole lines after it.
    var linesBehind = 0
    private var line: [UInt8] = []

    init(last: Int) { self.last = last }

    mutating func take(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
            line.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<newline]))
            size += newline + 1
            close()
            rest = UnsafeRawBufferPointer(rebasing: rest[(newline + 1)...])
        }
        line.append(contentsOf: rest)
        size += rest.count
    }

    /// Judges the line that has come to its end.
    private mutating func close() {
        let step = Self.step(of: line)
        if let step, step <= last {
            (end, linesBehind) = (size, 0)
            lastStep = max(lastStep, step)
        } else if step == nil && linesBehind == 0 {
            end = size
        } else {
            linesBehind += 1
        }
        line.removeAll(keepingCapacity: true)
    }

    /// Returns the number behind the first key `step`.
    private static func step(of line: [UInt8]) -> Int? {
        let key = Array("\"step\":".utf8)
        guard
            let start = line.indices.first(where: {
                line[$0] == key[0] && line[$0...].starts(with: key)
            })
        else { return nil }
        let digits = line[(start + key.count)...].prefix { (48...57).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
