/// The format of a file that is no UTF-8 text with lines, as far as its bytes tell.
package enum ForeignFormat: Sendable, Hashable, CaseIterable {
    case gzip, zstd, xz, bzip2, lz4, zip, sevenZip, tar, pdf, parquet
    /// The text has a byte order mark, or every other byte is a NUL.
    case utf16LittleEndian, utf16BigEndian
    case utf32LittleEndian, utf32BigEndian
    /// Lines end with a carriage return alone, as before Mac OS X.
    case carriageReturns

    /// The first bytes of packed files and of others that hold text in a form of their own.
    private static let magic: [(ForeignFormat, [UInt8])] = [
        (.gzip, [0x1F, 0x8B]), (.zstd, [0x28, 0xB5, 0x2F, 0xFD]),
        (.xz, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]), (.bzip2, Array("BZh".utf8)),
        (.lz4, [0x04, 0x22, 0x4D, 0x18]), (.zip, [0x50, 0x4B, 0x03, 0x04]),
        (.zip, [0x50, 0x4B, 0x05, 0x06]), (.sevenZip, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]),
        (.pdf, Array("%PDF-".utf8)), (.parquet, Array("PAR1".utf8)),
        // UTF-32's mark begins with that of UTF-16.
        (.utf32LittleEndian, [0xFF, 0xFE, 0x00, 0x00]),
        (.utf32BigEndian, [0x00, 0x00, 0xFE, 0xFF]),
        (.utf16LittleEndian, [0xFF, 0xFE]), (.utf16BigEndian, [0xFE, 0xFF]),
    ]

    /// Where a tar archive says what it is (POSIX.1-1988, ustar).
    private static let tarMagicOffset = 257

    /// Recognises the beginning of a file; nil is text, or something unknown.
    package init?(beginning bytes: some RandomAccessCollection<UInt8>) {
        let head = Array(bytes.prefix(1024))
        if let (format, magic) = Self.magic.first(where: { head.starts(with: $0.1) }) {
            // Letters alone could begin a sentence; behind them a file has bytes that no text has.
            let isWord = magic.allSatisfy { (0x20...0x7E).contains($0) }
            if !isWord || head.contains(where: { $0 < 0x09 || $0 >= 0x80 }) {
                self = format
                return
            }
        }
        if head.dropFirst(Self.tarMagicOffset).starts(with: "ustar".utf8), head.contains(0) {
            self = .tar
            return
        }
        guard let wide = Self.wide(head) else { return nil }
        self = wide
    }

    /// Recognises the same, and lines that end otherwise.
    package init?(beginning bytes: [UInt8], hasLines: Bool) {
        if let format = ForeignFormat(beginning: bytes) {
            self = format
        } else if hasLines && Self.hasOldLineEnds(bytes[...]) {
            self = .carriageReturns
        } else {
            return nil
        }
    }

    /// UTF-16 or UTF-32 without its mark: most characters of most texts leave the high bytes zero.
    private static func wide(_ head: [UInt8]) -> ForeignFormat? {
        guard head.count >= 4, head.contains(0) else { return nil }
        var zeros = [0, 0, 0, 0]
        for (index, byte) in head.enumerated() where byte == 0 { zeros[index % 4] += 1 }
        let many = head.count / 4 * 2 / 5
        let filled = zeros.map { $0 > many }
        switch (filled[0], filled[1], filled[2], filled[3]) {
        case (false, true, true, true): return .utf32LittleEndian
        case (true, true, true, false): return .utf32BigEndian
        case (false, true, false, true): return .utf16LittleEndian
        case (true, false, true, false): return .utf16BigEndian
        default: return nil
        }
    }

    /// Whether carriage returns that stand alone end more lines than line feeds do.
    static func hasOldLineEnds(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBytes { bytes in
            guard bytes.contains(0x0D) else { return false }
            var (alone, feeds) = (0, 0)
            for index in bytes.indices.dropLast() {
                if bytes[index] == 0x0D && bytes[index + 1] != 0x0A { alone += 1 }
                if bytes[index] == 0x0A { feeds += 1 }
            }
            return alone > feeds
        }
    }
}

/// An encoding of one byte a character that a text may be in.
package enum LikelyEncoding: String, Sendable, Hashable {
    case latin1 = "ISO-8859-1"
    /// Latin 1 with letters where that has control characters.
    case windows1252 = "WINDOWS-1252"

    /// Guesses the encoding of text that is not UTF-8: in Western Europe's languages letters above
    /// ASCII stand alone. Returns nil for others, and for UTF-8 that has been damaged.
    static func guess(_ bytes: ArraySlice<UInt8>) -> LikelyEncoding? {
        bytes.withUnsafeBytes { bytes in
            var (alone, together, sequences, hasWindowsLetter) = (0, 0, 0, false)
            var index = 0
            while index < bytes.count {
                guard bytes[index] >= 0x80 else {
                    index += 1
                    continue
                }
                let start = index
                while index < bytes.count && bytes[index] >= 0x80 {
                    if bytes[index] < 0xA0 { hasWindowsLetter = true }
                    index += 1
                }
                if String(validating: bytes[start..<index], as: UTF8.self) != nil {
                    sequences += 1
                } else if index - start == 1 {
                    alone += 1
                } else {
                    together += 1
                }
            }
            guard alone > 2 * together, alone > sequences else { return nil }
            return hasWindowsLetter ? .windows1252 : .latin1
        }
    }
}
