import Foundation

/// A bounded file of what happens in a run, one JSON object a line, `events.jsonl`: nothing depends
/// on it.
///
/// A full file is renamed to `events.jsonl.1`, older ones to `.2` and so on, and the oldest is
/// removed.
package final class EventsFile {
    /// The number of bytes that a file may have.
    package static let limit = 16 << 20
    /// The number of full files that are kept.
    package static let kept = 3

    /// The path of the newest file.
    package let path: String
    /// No line stands in the newest file yet.
    package var isEmpty: Bool { file.end == 0 }
    private let limit: Int
    private let kept: Int
    private let operations: any FileOperations
    private var file: LineFile

    /// Opens the newest file, made when it is missing, and cuts a torn last line. Throws: `io`.
    package init(
        _ path: String, limit: Int = EventsFile.limit, kept: Int = EventsFile.kept,
        operations: any FileOperations = SystemFileOperations()
    ) throws(CheckpointError) {
        self.path = path
        self.limit = limit
        self.kept = kept
        self.operations = operations
        let end = exists(path) ? try Self.end(of: try ReadableFile(path)) : 0
        file = try LineFile(path, end: end, operations: operations, isDurable: false)
    }

    /// The names of all files of the run whose newest is `path`, oldest first, whether they are there
    /// or not.
    package static func names(_ path: String, kept: Int = EventsFile.kept) -> [String] {
        (0...kept).reversed().map { name(path, $0) }
    }

    /// Whether a line of so many bytes begins the next file.
    package func isFull(for bytes: Int) -> Bool { file.end > 0 && file.end + bytes + 1 > limit }

    /// Begins the next file. Throws: `io`.
    package func turn() throws(CheckpointError) {
        if exists(Self.name(path, kept)) { try operations.remove(Self.name(path, kept)) }
        for number in (0..<kept).reversed() where exists(Self.name(path, number)) {
            try operations.rename(Self.name(path, number), to: Self.name(path, number + 1))
        }
        file = try LineFile(path, end: 0, operations: operations, isDurable: false)
    }

    /// Appends a line that comes without its newline. Throws: `io`; then the file is as before.
    package func append(_ line: some Collection<UInt8>) throws(CheckpointError) {
        try file.append(Array(line) + [UInt8(ascii: "\n")])
    }

    private static func name(_ path: String, _ number: Int) -> String {
        number == 0 ? path : "\(path).\(number)"
    }

    /// The offset behind the last newline.
    private static func end(of file: ReadableFile) throws(CheckpointError) -> Int {
        var upper = file.size
        while upper > 0 {
            let lower = max(0, upper - 65_536)
            let bytes = try file.bytes(lower..<upper)
            if let last = bytes.lastIndex(of: UInt8(ascii: "\n")) { return lower + last + 1 }
            upper = lower
        }
        return 0
    }
}
