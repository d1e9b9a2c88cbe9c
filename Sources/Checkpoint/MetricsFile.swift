/// A file of measurements, one JSON object a line, `metrics.jsonl`: for people and plots, nothing
/// depends on it.
package final class MetricsFile {
    /// Bytes of a torn last line that opening has cut.
    package let tornBytes: Int
    private let file: LineFile

    /// Opens a file, made when it is missing, to go on behind its last whole line. Throws: `io`.
    package init(
        _ path: String, operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) {
        var (size, end) = (0, 0)
        if exists(path) {
            let existing = try ReadableFile(path)
            try existing.stream(0..<existing.size) { (bytes) throws(CheckpointError) in
                if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) {
                    end = size + newline + 1
                }
                size += bytes.count
            }
        }
        tornBytes = size - end
        file = try LineFile(path, end: end, operations: operations)
    }

    /// Appends a line; NaN and infinities become strings. Throws: `notEncodable`; `io`, then the
    /// file is as before.
    package func append(_ values: some Encodable) throws(CheckpointError) {
        try file.append(encoded(values, for: file.path) + [UInt8(ascii: "\n")])
    }
}
