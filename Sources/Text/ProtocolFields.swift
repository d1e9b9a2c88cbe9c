/// The fields of a Protocol Buffers message in their order.
///
/// It is stricter than the format: keys and lengths have no needless bytes, and there are no
/// groups. So every other reader finds the same fields in the same places.
///
/// Source: Protocol Buffers documentation, "Encoding".
struct ProtocolFields {
    /// The message ends within a field, or breaks a rule; `at` counts bytes from 0.
    struct Fault: Error, Hashable {
        let at: Int
    }

    struct Field {
        let number: UInt64
        /// The bytes of a string or of a message within; nil for a plain number.
        let content: Range<Int>?
        /// A plain number, or the bits of one of four bytes; 0 for all else.
        var value: UInt64 = 0
    }

    private let bytes: [UInt8]
    private let end: Int
    private var position: Int

    /// The message at `range` of `bytes`.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// Returns the next field, or nil at the end.
    mutating func next() throws(Fault) -> Field? {
        guard position < end else { return nil }
        let start = position
        let key = try shortest(atMost: UInt64(UInt32.max))
        guard key >> 3 > 0 else { throw Fault(at: start) }
        var value: UInt64 = 0
        switch key & 7 {
        case 0: value = try number()
        case 1: try skip(8)
        case 5:
            try skip(4)
            for byte in bytes[position - 4..<position].reversed() {
                value = value << 8 | UInt64(byte)
            }
        case 2:
            let count = Int(try shortest(atMost: UInt64(Int32.max)))
            let first = position
            try skip(count)
            return Field(number: key >> 3, content: first..<first + count)
        default: throw Fault(at: start)
        }
        return Field(number: key >> 3, content: nil, value: value)
    }

    private mutating func skip(_ count: Int) throws(Fault) {
        guard count <= end - position else { throw Fault(at: position) }
        position += count
    }

    private mutating func shortest(atMost limit: UInt64) throws(Fault) -> UInt64 {
        let start = position
        let value = try number()
        guard value <= limit, position == start + 1 || bytes[position - 1] != 0 else {
            throw Fault(at: start)
        }
        return value
    }

    /// Seven bits a byte, the lowest first; at most ten bytes.
    private mutating func number() throws(Fault) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<10 {
            guard position < end else { throw Fault(at: position) }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte < 0x80 { return value }
        }
        throw Fault(at: position)
    }
}
