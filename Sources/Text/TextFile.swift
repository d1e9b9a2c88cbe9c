import Foundation

/// The lines of a UTF-8 file: a byte order mark and carriage returns at line ends are taken off.
package struct TextFile {
    /// Longer lines are no sentences, and words above 65,535 characters end SentencePiece's process.
    package static let longestLine = 32_768

    package let name: String
    private let bytes: [UInt8]

    /// Reads a file as a whole. Throws: `unreadable`, `emptyFile`.
    package init(path: String) throws(TextError) {
        do {
            // Data(contentsOf:) refuses pipes, such as a shell's <(…).
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            let data = try handle.readToEnd() ?? Data()
            try self.init(name: path, bytes: [UInt8](data))
        } catch let error as TextError {
            throw error
        } catch {
            throw .unreadable(file: path, code: Self.errorNumber(error))
        }
    }

    /// Text that is in memory already. Throws: `emptyFile`.
    package init(name: String, bytes: [UInt8]) throws(TextError) {
        self.name = name
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        if self.bytes.isEmpty { throw .emptyFile(file: name) }
    }

    private static func errorNumber(_ error: any Error) -> Int32 {
        if let posix = error as? POSIXError { return posix.code.rawValue }
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey]
        if let posix = underlying as? POSIXError { return posix.code.rawValue }
        if let cause = underlying as? NSError, cause.domain == NSPOSIXErrorDomain {
            return Int32(cause.code)
        }
        return EIO
    }

    /// The lines, checked. Throws: `lineTooLong`, `nulByte`, `invalidUTF8`.
    package func lines() throws(TextError) -> [String] {
        var lines: [String] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            let last = end > start && bytes[end - 1] == 0x0D ? end - 1 : end
            let place = Place(file: name, line: lines.count + 1)
            lines.append(try Self.text(of: bytes[start..<last], at: place))
            start = end + 1
        }
        return lines
    }

    /// One line without its end, checked. Throws: `lineTooLong`, `nulByte`, `invalidUTF8`.
    package static func text(
        of line: ArraySlice<UInt8>, at place: Place
    ) throws(TextError) -> String {
        guard line.count <= longestLine else {
            throw .lineTooLong(place, bytes: line.count, limit: longestLine)
        }
        if let nul = line.firstIndex(of: 0) {
            throw .nulByte(place, offset: nul - line.startIndex)
        }
        guard let text = String(validating: line, as: UTF8.self) else {
            throw .invalidUTF8(place, offset: firstFault(line))
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
