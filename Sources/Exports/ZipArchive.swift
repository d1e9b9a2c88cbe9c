/// An archive of files that are stored as they are, all of the first moment that the format knows.
///
/// Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", version 6.3, sections 4.3 and 4.4.
struct ZipArchive: Sendable {
    /// The files by their paths in the archive, in the order in which they are written.
    let files: [ExportedFile]

    /// The first day of 1980, the first that the format can write.
    private static let date: UInt16 = 1 << 5 | 1
    /// Version 2.0 of the format, which has folders.
    private static let version: UInt16 = 20
    /// Names are UTF-8.
    private static let flags: UInt16 = 1 << 11

    /// Writes the archive. Throws: `packageTooLarge`, and what the files throw.
    func write(to sink: any ByteSink) throws {
        var directory = Bytes()
        var offset = 0
        for file in files {
            let sum = Checksum()
            try file.write(sum)
            guard offset + sum.count <= Int(UInt32.max) else {
                throw ExportError.packageTooLarge(bytes: offset + sum.count)
            }
            var head = Bytes()
            head.add(0x0403_4B50 as UInt32)
            Self.describe(file, sum, in: &head)
            head.add(0 as UInt16)
            head.add(Array(file.name.utf8))
            directory.add(0x0201_4B50 as UInt32)
            // Made by a system with the permissions of Unix, which stand in the upper half below.
            directory.add(3 << 8 | Self.version)
            Self.describe(file, sum, in: &directory)
            for _ in 0..<3 { directory.add(0 as UInt16) }
            directory.add(0 as UInt16)
            directory.add(0o100644 << 16 as UInt32)
            directory.add(UInt32(offset))
            directory.add(Array(file.name.utf8))
            try sink.append(head.bytes)
            try file.write(sink)
            offset += head.bytes.count + sum.count
        }
        let length = directory.bytes.count
        guard offset + length <= Int(UInt32.max) else {
            throw ExportError.packageTooLarge(bytes: offset + length)
        }
        directory.add(0x0605_4B50 as UInt32)
        directory.add(0 as UInt32)
        for _ in 0..<2 { directory.add(UInt16(files.count)) }
        directory.add(UInt32(length))
        directory.add(UInt32(offset))
        directory.add(0 as UInt16)
        try sink.append(directory.bytes)
    }

    /// What a file's own header and its line in the directory have alike.
    private static func describe(_ file: ExportedFile, _ sum: Checksum, in bytes: inout Bytes) {
        bytes.add(version)
        bytes.add(flags)
        // Stored, at midnight.
        bytes.add(0 as UInt16)
        bytes.add(0 as UInt16)
        bytes.add(date)
        bytes.add(sum.value)
        bytes.add(UInt32(sum.count))
        bytes.add(UInt32(sum.count))
        bytes.add(UInt16(file.name.utf8.count))
    }
}

/// CRC-32 of what is appended, and its length.
///
/// Source: ISO 3309; RFC 1952, section 8.
final class Checksum: ByteSink {
    private var state = UInt32.max
    private(set) var count = 0

    var value: UInt32 { ~state }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { sum, _ in
            sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320
        }
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        state = Self.table.withUnsafeBufferPointer { table in
            bytes.reduce(state) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
        }
        count += bytes.count
    }
}
