import Foundation

/// The lines of a UTF-8 file: a byte order mark and carriage returns at line ends are taken off.
package struct TextFile {
    /// The most bytes of a sentence. SentencePiece ends the process over
    /// words above 65,535 characters.
    package static let longestLine = 32_768
    /// The name that messages give standard input.
    package static let standardInput = "standard input"

    /// The name for messages: the path, or `standardInput`.
    package let name: String
    private let bytes: [UInt8]
    /// The offset at which the text begins, behind a mark.
    private let start: Int

    /// Reads a file as a whole; `-` and the system's names of it are standard input.
    ///
    /// Throws: `unreadable`, `emptyFile`, `foreign`.
    package init(path: String) throws(TextError) {
        let isInput = Self.isStandardInput(path)
        let name = isInput ? Self.standardInput : path
        let descriptor = isInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(file: name, code: errno) }
        defer { if !isInput { close(descriptor) } }
        try self.init(name: name, bytes: Self.contents(of: descriptor, name))
    }

    /// Makes a file of text that is in memory already. Throws: `emptyFile`, `foreign`.
    package init(name: String, bytes: [UInt8]) throws(TextError) {
        self.name = name
        self.bytes = bytes
        if let format = ForeignFormat(beginning: bytes) {
            throw .foreign(file: name, format)
        }
        start = bytes.starts(with: Self.mark) ? Self.mark.count : 0
        if start == bytes.count { throw .emptyFile(file: name) }
    }

    /// The byte order mark of UTF-8, U+FEFF, which is no part of the text.
    package static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Whether a path is a name of standard input.
    package static func isStandardInput(_ path: String) -> Bool {
        ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].contains(path)
    }

    /// Whether a path leads to a pipe: one can read it only once, or only in this process.
    package static func isPassing(_ path: String) -> Bool {
        if isStandardInput(path) || path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/") {
            return true
        }
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
    }

    /// Everything that can be read from a descriptor: a pipe, too.
    private static func contents(
        of descriptor: Int32, _ name: String
    ) throws(TextError) -> [UInt8] {
        var status = stat()
        let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        var bytes: [UInt8] = []
        // One more, so that the end is found without growing.
        bytes.reserveCapacity(isFile ? Int(status.st_size) + 1 : 0)
        let piece = 1 << 20
        var buffer = [UInt8](repeating: 0, count: piece)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, piece) }
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw .unreadable(file: name, code: errno)
            }
            bytes.append(contentsOf: buffer[..<count])
            // No text goes on behind a NUL: whoever looks at the line refuses it, and a device such as
            // /dev/zero has no end.
            if !isFile, buffer[..<count].contains(0) { return bytes }
        }
    }

    /// Hands every line to `body`, without its end, with its number. Throws what `body` throws.
    func forEachLine(
        _ body: (_ number: Int, _ line: ArraySlice<UInt8>) throws(TextError) -> Void
    ) throws(TextError) {
        var start = start
        var number = 0
        while start < bytes.count {
            let end = lineEnd(from: start)
            number += 1
            let last = end > start && bytes[end - 1] == 0x0D ? end - 1 : end
            try body(number, bytes[start..<last])
            start = end + 1
        }
    }

    private func lineEnd(from start: Int) -> Int {
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = memchr(base + start, 0x0A, bytes.count - start)
            else { return bytes.count }
            return UnsafeRawPointer(found) - base
        }
    }

    /// The lines, checked. Throws: `lineTooLong`, `nulByte`, `invalidUTF8`.
    package func lines() throws(TextError) -> [String] {
        var lines: [String] = []
        try forEachLine { (number, line) throws(TextError) in
            let place = Place(file: name, line: number)
            lines.append(try Self.text(of: line, at: place, limit: Self.longestLine))
        }
        return lines
    }

    /// Returns the lines, checked, however long they are.
    ///
    /// Throws: `foreign`, `nulByte`, `invalidUTF8`.
    package func linesOfAnyLength() throws(TextError) -> [String] {
        try requireLineFeeds()
        var lines: [String] = []
        try forEachLine { (number, line) throws(TextError) in
            lines.append(try text(of: line, at: Place(file: name, line: number)))
        }
        return lines
    }

    /// Checks how lines end. Throws: `foreign` for a file whose lines end as before Mac OS X.
    func requireLineFeeds() throws(TextError) {
        if ForeignFormat.hasOldLineEnds(bytes[start...]) {
            throw .foreign(file: name, .carriageReturns)
        }
    }

    /// One line of this file, checked, with a guess at the encoding of the whole where it is none.
    ///
    /// Throws: `nulByte`, `invalidUTF8`.
    func text(of line: ArraySlice<UInt8>, at place: Place) throws(TextError) -> String {
        do throws(TextError) {
            return try Self.text(of: line, at: place, limit: nil)
        } catch {
            guard case .invalidUTF8(let place, let offset, _) = error else { throw error }
            throw .invalidUTF8(place, offset: offset, LikelyEncoding.guess(bytes[start...]))
        }
    }

    /// One line without its end, checked. Throws: `lineTooLong`, `nulByte`, `invalidUTF8`.
    package static func text(
        of line: ArraySlice<UInt8>, at place: Place, limit: Int?
    ) throws(TextError) -> String {
        if let limit, line.count > limit {
            throw .lineTooLong(place, bytes: line.count, limit: limit)
        }
        let hasNUL = line.withUnsafeBytes { bytes in
            bytes.baseAddress.map { memchr($0, 0, bytes.count) != nil } ?? false
        }
        if hasNUL, let nul = line.firstIndex(of: 0) {
            throw .nulByte(place, offset: nul - line.startIndex)
        }
        guard let text = String(validating: line, as: UTF8.self) else {
            throw .invalidUTF8(
                place, offset: firstFault(line), LikelyEncoding.guess(line))
        }
        return text
    }

    /// The number of bytes that are good, in a line that is not UTF-8 as a whole.
    private static func firstFault(_ line: ArraySlice<UInt8>) -> Int {
        var decoder = UTF8()
        var iterator = line.makeIterator()
        var good = 0
        while case .scalarValue(let scalar) = decoder.decode(&iterator) {
            good += UTF8.width(scalar)
        }
        return good
    }
}
