/// What can be wrong with bytes from outside. No case carries the bytes themselves.
package enum WireError: Error, Hashable, Sendable {
    case truncated(field: String, needed: Int, available: Int)
    case tooLong(field: String, count: Int, limit: Int)
    case unknownValue(field: String, value: Int)
    case malformedText(field: String)
    case trailingBytes(Int)
    case checksum
    case foreignMagic
    case otherProtocol(theirs: Int, ours: Int)
}

/// Appends little-endian numbers and length-prefixed sequences to a byte array.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init(reserving capacity: Int = 64) {
        bytes.reserveCapacity(capacity)
    }

    package mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func put(_ value: Bool) { put(UInt8(value ? 1 : 0)) }
    package mutating func put(_ value: Float) { put(value.bitPattern) }
    package mutating func put(_ value: Double) { put(value.bitPattern) }

    /// UTF-8 behind a 32-bit count of bytes.
    package mutating func put(_ text: String) {
        var text = text
        text.withUTF8 { put(raw: $0) }
    }

    /// Prose that may have come from anywhere: cut so that every reader takes it.
    package mutating func put(clipped text: String) {
        guard text.utf8.count > WireLimit.text else { return put(text) }
        put(String(decoding: text.utf8.prefix(WireLimit.text - 3), as: UTF8.self))
    }

    /// Bytes behind a 32-bit count.
    package mutating func put(_ content: [UInt8]) {
        content.withUnsafeBufferPointer { put(raw: $0) }
    }

    /// 32-bit integers behind a 32-bit count.
    package mutating func put(_ content: [Int32]) {
        put(UInt32(content.count))
        content.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// Doubles behind a 32-bit count.
    package mutating func put(_ content: [Double]) {
        put(UInt32(content.count))
        for value in content { put(value) }
    }

    /// Bytes as they are, without a count.
    package mutating func append(_ content: [UInt8]) { bytes.append(contentsOf: content) }

    private mutating func put(raw: UnsafeBufferPointer<UInt8>) {
        put(UInt32(raw.count))
        bytes.append(contentsOf: raw)
    }
}

/// Reads what `ByteWriter` wrote; checks every length against what is there before memory is taken.
package struct ByteReader {
    private let bytes: [UInt8]
    package private(set) var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var remaining: Int { bytes.count - position }

    package mutating func integer<Value: FixedWidthInteger>(
        _ field: String, as type: Value.Type = Value.self
    ) throws(WireError) -> Value {
        let size = MemoryLayout<Value>.size
        try need(size, field)
        var value: Value = 0
        for index in 0..<size {
            value |= Value(truncatingIfNeeded: UInt64(bytes[position + index]) << UInt64(8 * index))
        }
        position += size
        return value
    }

    /// A non-negative 64-bit integer not above `limit`.
    package mutating func count(_ field: String, limit: Int) throws(WireError) -> Int {
        let value = try integer(field, as: UInt64.self)
        guard value <= UInt64(limit) else {
            throw .tooLong(field: field, count: Int(clamping: value), limit: limit)
        }
        return Int(value)
    }

    package mutating func bool(_ field: String) throws(WireError) -> Bool {
        let value = try integer(field, as: UInt8.self)
        guard value < 2 else { throw .unknownValue(field: field, value: Int(value)) }
        return value == 1
    }

    package mutating func float(_ field: String) throws(WireError) -> Float {
        Float(bitPattern: try integer(field))
    }

    package mutating func double(_ field: String) throws(WireError) -> Double {
        Double(bitPattern: try integer(field))
    }

    /// A span of time that can be counted in milliseconds: neither negative, nor NaN, nor endless.
    package mutating func seconds(_ field: String) throws(WireError) -> Double {
        let value = try double(field)
        guard value >= 0, value <= WireLimit.seconds else {
            throw .unknownValue(field: field, value: 0)
        }
        return value
    }

    /// Bytes a second: neither negative, nor NaN, nor endless.
    package mutating func rate(_ field: String) throws(WireError) -> Double {
        let value = try double(field)
        guard value >= 0, value <= WireLimit.rate else {
            throw .unknownValue(field: field, value: 0)
        }
        return value
    }

    package mutating func text(_ field: String, limit: Int) throws(WireError) -> String {
        let content = try self.content(field, limit: limit)
        guard let text = String(validating: content, as: UTF8.self) else {
            throw .malformedText(field: field)
        }
        return text
    }

    package mutating func content(_ field: String, limit: Int) throws(WireError) -> [UInt8] {
        let count = try length(field, limit: limit, stride: 1)
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    package mutating func int32s(_ field: String, limit: Int) throws(WireError) -> [Int32] {
        let count = try length(field, limit: limit, stride: 4)
        // An array made with no room writes its count into the empty array, which all threads share.
        guard count > 0 else { return [] }
        defer { position += 4 * count }
        return [Int32](unsafeUninitializedCapacity: count) { buffer, initialized in
            bytes.withUnsafeBytes { source in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[position..<position + 4 * count]))
            }
            initialized = count
        }
    }

    package mutating func doubles(_ field: String, limit: Int) throws(WireError) -> [Double] {
        let count = try length(field, limit: limit, stride: 8)
        var values: [Double] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try double(field)) }
        return values
    }

    /// A 32-bit count of elements, checked against `limit` and against the bytes that are left.
    package mutating func length(
        _ field: String, limit: Int, stride: Int
    ) throws(WireError) -> Int {
        let count = Int(try integer(field, as: UInt32.self))
        guard count <= limit else { throw .tooLong(field: field, count: count, limit: limit) }
        try need(count * stride, field)
        return count
    }

    /// Call last: what was sent must have been read whole.
    package func end() throws(WireError) {
        guard remaining == 0 else { throw .trailingBytes(remaining) }
    }

    private func need(_ size: Int, _ field: String) throws(WireError) {
        guard remaining >= size else {
            throw .truncated(field: field, needed: size, available: remaining)
        }
    }
}
