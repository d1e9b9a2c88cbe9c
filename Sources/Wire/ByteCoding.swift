/// Writes fields one behind the other. All numbers are little-endian.
package struct ByteWriter {
    /// What has been written, and zeros up to the size that the writer was made with.
    package private(set) var bytes: [UInt8]
    private var position = 0

    /// Makes an empty writer for `count` bytes; it grows if more are written.
    package init(count: Int = 0) { bytes = [UInt8](repeating: 0, count: count) }

    /// Writes an integer in as many bytes as it has in memory.
    package mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        let place = take(MemoryLayout<Value>.size)
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: value.littleEndian, toByteOffset: place, as: Value.self)
        }
    }

    /// Writes UTF-8 behind a 32-bit count of bytes.
    package mutating func put(_ text: String) {
        var text = text
        text.withUTF8 {
            put(UInt32($0.count))
            put(raw: UnsafeRawBufferPointer($0))
        }
    }

    /// Writes 32-bit integers behind a 32-bit count of them.
    package mutating func put(_ content: [Int32]) {
        put(UInt32(content.count))
        content.withUnsafeBytes { put(raw: $0) }
    }

    /// Writes bytes as they are, without a count.
    package mutating func append(_ content: [UInt8]) { content.withUnsafeBytes { put(raw: $0) } }

    /// Writes over the eight bytes at `offset`.
    mutating func replace(at offset: Int, with value: UInt64) {
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
        }
    }

    private mutating func put(raw content: UnsafeRawBufferPointer) {
        let place = take(content.count)
        bytes.withUnsafeMutableBytes {
            UnsafeMutableRawBufferPointer(rebasing: $0[place...]).copyMemory(from: content)
        }
    }

    /// Moves past the next `count` bytes; returns where they begin.
    private mutating func take(_ count: Int) -> Int {
        let place = position
        position += count
        if position > bytes.count {
            bytes.append(contentsOf: repeatElement(0, count: position - bytes.count))
        }
        return place
    }
}

extension ByteWriter: Coder {
    mutating func integer<Value: FixedWidthInteger>(_ value: inout Value, _ field: String) {
        put(value)
    }

    mutating func text(_ value: inout String, _ field: String, limit: Int) { put(value) }

    mutating func numbers<Number: PlainNumber>(
        _ values: inout [Number], _ field: String, limit: Int
    ) {
        put(UInt32(values.count))
        values.withUnsafeBytes { put(raw: $0) }
    }

    mutating func each<Value: WireCodable>(
        _ values: inout [Value], _ field: String, limit: Int
    ) {
        put(UInt32(values.count))
        for var value in values { value.code(&self) }
    }

    func check(_ isRight: @autoclosure () -> Bool, or error: @autoclosure () -> WireError) {}
}

/// Reads what `ByteWriter` wrote; checks every length against what is there before memory is taken.
package struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    /// Makes a reader that begins with the first of `bytes`.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Number of bytes that have not been read.
    package var remaining: Int { bytes.count - position }

    /// Reads a little-endian integer. Throws `truncated`.
    package mutating func integer<Value: FixedWidthInteger>(
        _ field: String, as type: Value.Type = Value.self
    ) throws(WireError) -> Value {
        let size = MemoryLayout<Value>.size
        try need(size, field)
        defer { position += size }
        return bytes.withUnsafeBytes {
            Value(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Value.self))
        }
    }

    /// Reads text of at most `limit` bytes.
    ///
    /// Throws `truncated`, `tooLong`, and `malformedText` for bytes that are not UTF-8.
    package mutating func text(_ field: String, limit: Int) throws(WireError) -> String {
        let count = try length(field, limit: limit, stride: 1)
        defer { position += count }
        guard let text = String(validating: bytes[position..<position + count], as: UTF8.self)
        else { throw .malformedText(field: field) }
        return text
    }

    /// Reads a 32-bit count of elements of at least `stride` bytes each.
    ///
    /// Throws `tooLong` for a count above `limit`, `truncated` for one above what is left.
    package mutating func length(
        _ field: String, limit: Int, stride: Int
    ) throws(WireError) -> Int {
        let count = Int(try integer(field, as: UInt32.self))
        guard count <= limit else { throw .tooLong(field: field, count: count, limit: limit) }
        try need(count * stride, field)
        return count
    }

    /// Throws `trailingBytes` unless all has been read: call it last.
    package func end() throws(WireError) {
        guard remaining == 0 else { throw .trailingBytes(remaining) }
    }

    private func need(_ size: Int, _ field: String) throws(WireError) {
        guard remaining >= size else {
            throw .truncated(field: field, needed: size, available: remaining)
        }
    }
}

extension ByteReader: Coder {
    mutating func integer<Value: FixedWidthInteger>(
        _ value: inout Value, _ field: String
    ) throws(WireError) {
        value = try integer(field)
    }

    mutating func text(
        _ value: inout String, _ field: String, limit: Int
    ) throws(WireError) {
        value = try text(field, limit: limit)
    }

    mutating func numbers<Number: PlainNumber>(
        _ values: inout [Number], _ field: String, limit: Int
    ) throws(WireError) {
        let stride = MemoryLayout<Number>.size
        let count = try length(field, limit: limit, stride: stride)
        let read = position..<position + count * stride
        position = read.upperBound
        // An array made with no room writes its count into the empty array, which all threads share.
        guard count > 0 else {
            values = []
            return
        }
        values = [Number](unsafeUninitializedCapacity: count) { buffer, initialized in
            bytes.withUnsafeBytes { source in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[read]))
            }
            initialized = count
        }
    }

    mutating func each<Value: WireCodable>(
        _ values: inout [Value], _ field: String, limit: Int
    ) throws(WireError) {
        var counter = ByteCounter()
        var least = Value()
        least.code(&counter)
        let count = try length(field, limit: limit, stride: counter.bytes)
        values = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            var value = Value()
            try value.code(&self)
            values.append(value)
        }
    }

    func check(
        _ isRight: @autoclosure () -> Bool, or error: @autoclosure () -> WireError
    ) throws(WireError) {
        guard isRight() else { throw error() }
    }
}
