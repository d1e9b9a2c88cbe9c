import Foundation
import Testing
import Text

/// Files that are no UTF-8 text with lines are known by their bytes.
@Suite struct ForeignFormatTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let text = "The cat sleeps.\tLe chat dort.\nThe dog eats.\tLe chien mange.\n"

    private static func wide(_ text: String, littleEndian: Bool, bytes: Int) -> [UInt8] {
        text.unicodeScalars.flatMap { scalar in
            let little = (0..<bytes).map { UInt8(truncatingIfNeeded: scalar.value >> (8 * $0)) }
            return littleEndian ? little : little.reversed()
        }
    }

    static let files: [(name: String, bytes: [UInt8], format: ForeignFormat)] = [
        ("gzip", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0x4B], .gzip),
        ("zstd", [0x28, 0xB5, 0x2F, 0xFD, 0x24, 1], .zstd),
        ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0, 4], .xz),
        ("bzip2", Array("BZh91AY&SY".utf8) + [0xAA, 0x01], .bzip2),
        ("lz4", [0x04, 0x22, 0x4D, 0x18, 0x64], .lz4),
        ("zip", [0x50, 0x4B, 3, 4, 0x14, 0], .zip), ("empty zip", [0x50, 0x4B, 5, 6, 0, 0], .zip),
        ("7z", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], .sevenZip),
        ("PDF", Array("%PDF-1.7\n%".utf8) + [0xE2, 0xE3], .pdf),
        ("Parquet", Array("PAR1".utf8) + [0x15, 4], .parquet),
        ("UTF-16", [0xFF, 0xFE] + wide(text, littleEndian: true, bytes: 2), .utf16LittleEndian),
        (
            "UTF-16 of a big-endian host",
            [0xFE, 0xFF] + wide(text, littleEndian: false, bytes: 2), .utf16BigEndian
        ),
        ("UTF-16 without mark", wide(text, littleEndian: true, bytes: 2), .utf16LittleEndian),
        (
            "UTF-16 without mark, big-endian", wide(text, littleEndian: false, bytes: 2),
            .utf16BigEndian
        ),
        (
            "UTF-32", [0xFF, 0xFE, 0, 0] + wide(text, littleEndian: true, bytes: 4),
            .utf32LittleEndian
        ),
        ("UTF-32 without mark", wide(text, littleEndian: false, bytes: 4), .utf32BigEndian),
        ("old Macintosh", Array(text.replacing("\n", with: "\r").utf8), .carriageReturns),
        (
            "old Macintosh with one feed", Array((text.replacing("\n", with: "\r") + "\n").utf8),
            .carriageReturns
        ),
        (
            "long old Macintosh", Array(String(repeating: "a line\r", count: 9000).utf8),
            .carriageReturns
        ),
    ]

    @Test(arguments: files.indices)
    func `a file that is something else is named`(_ row: Int) throws {
        let (name, bytes, format) = Self.files[row]
        let path = try folder.write(bytes)
        let error = TextError.foreign(file: path, format)
        #expect(throws: error, "\(name) as pairs") { try PairsRead(.pairs(path)) }
        #expect(throws: error, "\(name) as text") { try PassagesRead(path) }
        let other = try folder.write("a\nb\n", to: "other")
        #expect(throws: error, "\(name) as target") {
            try PairsRead(.files(source: other, target: path))
        }
    }

    @Test(arguments: [
        "BZh is a name\tBZh est un nom\n", "PAR1 binds\tPAR1 se lie\n", "PK\tPK\n",
        "one\tun\r", "a\rb\tc\rd\n\n\n\n\ne\tf\n", "%PDF-1.4 is a mark\tune marque\n",
    ])
    func `a text is a text`(_ text: String) throws {
        let path = try folder.write(text)
        #expect(try !PairsRead(.pairs(path)).pairs.isEmpty)
    }

    /// Sentences in encodings of one byte a character, and UTF-8 with a fault.
    @Test(
        arguments: [
            ([0x4C, 0x65, 0x20, 0x67, 0x61, 0x72, 0xE7, 0x6F, 0x6E], LikelyEncoding.latin1),
            ([0x63, 0x9C, 0x75, 0x72, 0x20, 0xE9, 0x74, 0xE9], .windows1252),
            // Cyrillic in KOI8-R: letters above ASCII stand together.
            ([0xCB, 0xCF, 0xD4, 0x20, 0xD3, 0xD0, 0xC9, 0xD4], nil),
            // UTF-8 of which one letter is cut.
            ([0xC3, 0xA9, 0x74, 0xC3, 0xA9, 0x20, 0xC3, 0x78], nil),
        ] as [([UInt8], LikelyEncoding?)])
    func `an encoding is guessed from the letters above ASCII`(
        _ bytes: [UInt8], _ likely: LikelyEncoding?
    ) throws {
        let path = try folder.write(Array("one\tun\n".utf8) + bytes + Array("\tx\n".utf8))
        do {
            _ = try PairsRead(.pairs(path))
            Issue.record("\(bytes) are no fault")
        } catch .invalidUTF8(let place, _, let found) {
            #expect(place.line == 2 && found == likely)
        }
    }
}
