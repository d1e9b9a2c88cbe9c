import Foundation

/// What TensorBoard reads: records of TensorFlow's `Event` (protocol buffers, written by hand), each with
/// its length and two checksums (TFRecord).
package enum TensorBoardRecord {
    /// The first record of a file.
    package static func version(time: Double) -> [UInt8] {
        record(message(time, step: 0) { $0.text(3, "brain.Event:2") })
    }

    /// Where a run goes on: TensorBoard forgets what it has of later steps.
    package static func start(step: Int, time: Double) -> [UInt8] {
        record(message(time, step: step) { $0.message(7) { $0.number(1, 1) } })
    }

    /// Figures of a step, by their tags.
    package static func scalars(
        _ values: [(tag: String, value: Double)], step: Int, time: Double
    ) -> [UInt8] {
        record(
            message(time, step: step) { event in
                event.message(5) { summary in
                    for (tag, value) in values {
                        summary.message(1) {
                            $0.text(1, tag)
                            $0.float(2, Float(value))
                        }
                    }
                }
            })
    }

    /// A text under a tag, such as a run's settings.
    package static func text(_ text: String, tag: String, step: Int, time: Double) -> [UInt8] {
        record(
            message(time, step: step) { event in
                event.message(5) { summary in
                    summary.message(1) { value in
                        value.text(1, tag)
                        value.message(8) { tensor in
                            tensor.number(1, 7)
                            tensor.message(2) { $0.message(2) { $0.number(1, 1) } }
                            tensor.text(8, text)
                        }
                        value.message(9) { $0.message(1) { $0.text(1, "text") } }
                    }
                }
            })
    }

    private static func message(
        _ time: Double, step: Int, _ body: (inout Fields) -> Void
    ) -> [UInt8] {
        var fields = Fields()
        fields.double(1, time)
        fields.number(2, step)
        body(&fields)
        return fields.bytes
    }

    // MARK: records

    /// Length, its checksum, the bytes, their checksum; little-endian.
    static func record(_ bytes: [UInt8]) -> [UInt8] {
        let length = little(UInt64(bytes.count))
        return length + little(masked(length)) + bytes + little(masked(bytes))
    }

    /// Reads what `record` has made: the bytes of each whole record whose checksums are right. For
    /// tests, and for who wants to know what was written.
    package static func read(_ file: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var rest = file[...]
        while rest.count >= 16 {
            let length = Array(rest.prefix(8))
            let count = length.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard Array(rest.dropFirst(8).prefix(4)) == little(masked(length)),
                count <= rest.count - 16
            else { break }
            let bytes = Array(rest.dropFirst(12).prefix(Int(count)))
            guard Array(rest.dropFirst(12 + Int(count)).prefix(4)) == little(masked(bytes)) else {
                break
            }
            found.append(bytes)
            rest = rest.dropFirst(16 + Int(count))
        }
        return found
    }

    static func little(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    /// A checksum of a checksum would be weak, so TFRecord turns it.
    static func masked(_ bytes: [UInt8]) -> UInt32 {
        let sum = checksum(bytes)
        return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
    }

    /// CRC-32C (Castagnoli), as in RFC 3720.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
}

/// Fields of a protocol buffer.
struct Fields {
    private(set) var bytes: [UInt8] = []

    private mutating func variable(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func key(_ field: Int, _ kind: UInt64) { variable(UInt64(field) << 3 | kind) }

    mutating func number(_ field: Int, _ value: Int) {
        key(field, 0)
        variable(UInt64(bitPattern: Int64(value)))
    }

    mutating func double(_ field: Int, _ value: Double) {
        key(field, 1)
        bytes += TensorBoardRecord.little(value.bitPattern)
    }

    mutating func float(_ field: Int, _ value: Float) {
        key(field, 5)
        bytes += TensorBoardRecord.little(value.bitPattern)
    }

    mutating func text(_ field: Int, _ value: String) {
        key(field, 2)
        let text = Array(value.utf8)
        variable(UInt64(text.count))
        bytes += text
    }

    mutating func message(_ field: Int, _ body: (inout Fields) -> Void) {
        var inner = Fields()
        body(&inner)
        key(field, 2)
        variable(UInt64(inner.bytes.count))
        bytes += inner.bytes
    }
}
