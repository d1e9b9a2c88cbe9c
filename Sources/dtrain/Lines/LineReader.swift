import Foundation
import Text
import Words

/// Lines of a file or of standard input, in the portions that they come in.
final class LineReader {
    /// What messages call the input.
    let name: String
    /// Somebody may be waiting for the answer to one line before writing the next.
    let isLive: Bool
    private let descriptor: Int32
    private var portion: [UInt8] = []
    private var isAtEnd = false
    private var count = 0

    /// Lines of a portion from a file: a number of whole groups, so that groups are cut the same way
    /// whatever the threads.
    private static let portionOfFile = 4096

    /// Opens `path`, or takes standard input. Throws: an I/O failure.
    init(_ path: String?) throws(Failure) {
        let path = path.flatMap { TextFile.isStandardInput($0) ? nil : $0 }
        name = path ?? TextFile.standardInput
        descriptor =
            try path.map { path throws(Failure) in
                let descriptor = open(path, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else {
                    throw .io("\(path) cannot be opened: \(reason(errno))")
                }
                return descriptor
            } ?? STDIN_FILENO
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .io("\(name) cannot be examined: \(reason(errno))")
        }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .io("\(name) is a folder") }
        isLive = status.st_mode & S_IFMT != S_IFREG
    }

    deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

    /// The next lines, at least one; nil at the end. From a pipe or terminal all that are there.
    func next() throws(Failure) -> [Result<String, TextError>]? {
        var lines: [Result<String, TextError>] = []
        while true {
            takeLines(&lines)
            if isLive ? !lines.isEmpty : lines.count >= Self.portionOfFile { return lines }
            if isAtEnd { return lines.isEmpty ? nil : lines }
            try fill()
        }
    }

    private func takeLines(_ lines: inout [Result<String, TextError>]) {
        var start = 0
        while isLive || lines.count < Self.portionOfFile {
            var end = portion[start...].firstIndex(of: 0x0A)
            // The last line may lack its end.
            if end == nil && isAtEnd && start < portion.count { end = portion.count }
            guard let end else { break }
            lines.append(line(portion[start..<end]))
            start = min(end + 1, portion.count)
        }
        portion.removeFirst(start)
    }

    private func line(_ bytes: ArraySlice<UInt8>) -> Result<String, TextError> {
        count += 1
        var bytes = bytes
        if bytes.last == 0x0D { bytes.removeLast() }
        if count == 1 && bytes.starts(with: TextFile.mark) {
            bytes.removeFirst(TextFile.mark.count)
        }
        return Result { () throws(TextError) in
            try TextFile.text(
                of: bytes, at: Place(file: name, line: count), limit: TextFile.longestLine)
        }
    }

    private func fill() throws(Failure) {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let got = chunk.withUnsafeMutableBytes { bytes in
            var got = read(descriptor, bytes.baseAddress, bytes.count)
            while got < 0 && errno == EINTR {
                got = read(descriptor, bytes.baseAddress, bytes.count)
            }
            return got
        }
        guard got >= 0 else { throw .io("\(name) cannot be read: \(reason(errno))") }
        isAtEnd = got == 0
        // Of a line that is far too long only its length matters: it is refused, not kept.
        if portion.count > 4 * TextFile.longestLine, !chunk[..<got].contains(0x0A) { return }
        portion.append(contentsOf: chunk[..<got])
        if count == 0, let format = ForeignFormat(beginning: portion, hasLines: true) {
            throw Failure(TextError.foreign(file: name, format))
        }
    }
}
