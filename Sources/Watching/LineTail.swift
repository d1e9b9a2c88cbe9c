import Checkpoint
import Glibc

/// Reads a file of lines as it grows: each call goes on behind the last whole line.
///
/// A last line without its newline waits for its end. Who cuts or replaces the file is noticed by its
/// size, its number, or the bytes before the offset.
package struct LineTail: Sendable {
    /// What became of the file since the last look.
    package enum Change: Sendable {
        /// It is as it was, or longer.
        case grown
        /// It is another file, or has lost lines that were read: all is read anew.
        case replaced
        /// There is none.
        case missing
    }

    /// The path of the file.
    package let path: String
    /// The offset behind the last line that was read, in bytes.
    package private(set) var offset: Int
    /// What stands right before the offset, 64 bytes at most.
    package private(set) var mark: [UInt8]
    private var inode: UInt64?

    /// Longer lines are passed over.
    private static let longest = 4 << 20
    private static let markLength = 64

    /// Begins at the start of a file, or goes on where an earlier tail has been.
    package init(_ path: String, offset: Int = 0, mark: [UInt8] = []) {
        self.path = path
        self.offset = offset
        self.mark = mark
    }

    /// Hands the whole lines that have come to `body`, without their newlines, in order.
    ///
    /// - Parameters:
    ///   - limit: about so many bytes at most are read.
    ///   - restart: is called before the first line where the file is another.
    package mutating func read(
        limit: Int = .max, restart: () -> Void = {}, _ body: (UnsafeRawBufferPointer) -> Void
    ) -> Change {
        var status = stat()
        guard stat(path, &status) == 0, let file = try? ReadableFile(path) else { return .missing }
        var change = Change.grown
        if !isSame(file, status) {
            restart()
            (offset, mark, change) = (0, [], .replaced)
        }
        inode = UInt64(status.st_ino)
        guard file.size > offset else { return change }
        var rest: [UInt8] = []
        var begin = offset
        var isTooLong = false
        let upper = limit < file.size - offset ? offset + limit : file.size
        try? file.stream(offset..<upper) { bytes in
            var bytes = bytes
            while let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                let line = UnsafeRawBufferPointer(rebasing: bytes[..<newline])
                if isTooLong {
                    isTooLong = false
                } else if rest.isEmpty {
                    body(line)
                } else {
                    rest.append(contentsOf: line)
                    rest.withUnsafeBytes { body($0) }
                }
                begin += rest.count + (rest.isEmpty ? newline + 1 : 1)
                if !rest.isEmpty { rest.removeAll(keepingCapacity: true) }
                bytes = UnsafeRawBufferPointer(rebasing: bytes[(newline + 1)...])
            }
            rest.append(contentsOf: bytes)
            guard rest.count > Self.longest else { return }
            begin += rest.count
            rest.removeAll()
            isTooLong = true
        }
        guard begin != offset else { return change }
        offset = begin
        let start = max(0, offset - Self.markLength)
        mark = (try? file.bytes(start..<offset)) ?? []
        return change
    }

    /// Whether lines wait that have not been read, as far as the size tells.
    package var isBehind: Bool {
        var status = stat()
        return stat(path, &status) == 0 && Int(status.st_size) != offset
    }

    private func isSame(_ file: ReadableFile, _ status: stat) -> Bool {
        if let inode, inode != UInt64(status.st_ino) { return false }
        guard file.size >= offset, mark.count <= offset else { return false }
        return mark.isEmpty || (try? file.bytes(offset - mark.count..<offset)) == mark
    }
}
