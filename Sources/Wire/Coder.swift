/// Passes over the fields of a value and writes, reads or counts them.
///
/// A value names each of its fields once, in `code`. `ByteWriter` appends the fields to bytes,
/// `ByteReader` fills them in from bytes, `ByteCounter` adds up how many bytes they take. Numbers are
/// little-endian; `field` is what an error calls the field.
protocol Coder {
    /// What can go wrong: `WireError` for a reader, nothing for the others.
    associatedtype Failure: Error

    /// Codes an integer in as many bytes as it has in memory.
    mutating func integer<Value: FixedWidthInteger>(
        _ value: inout Value, _ field: String
    ) throws(Failure)

    /// Codes at most `limit` bytes of UTF-8 behind a 32-bit count of bytes.
    mutating func text(_ value: inout String, _ field: String, limit: Int) throws(Failure)

    /// Codes at most `limit` numbers behind a 32-bit count of them.
    mutating func numbers<Number: PlainNumber>(
        _ values: inout [Number], _ field: String, limit: Int
    ) throws(Failure)

    /// Codes at most `limit` values behind a 32-bit count of them.
    mutating func each<Value: WireCodable>(
        _ values: inout [Value], _ field: String, limit: Int
    ) throws(Failure)

    /// Throws `error` where a reader has read what no sender writes; others look at nothing.
    func check(
        _ isRight: @autoclosure () -> Bool, or error: @autoclosure () -> WireError
    ) throws(Failure)
}

/// A part of a message that knows its fields.
protocol WireCodable {
    /// Makes an empty value, which a reader fills in.
    init()

    /// Hands all fields to `coder`, in the order in which they travel.
    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure)
}

/// A value that is one of several kinds, each with a number of its own and other fields.
protocol WireChoice: Sendable {
    /// An empty value of every kind: a reader fills in the one whose number has come.
    static var kinds: Kinds<Self> { get }

    /// Hands the fields of `value` to `coder`, in the order in which they travel.
    ///
    /// Returns the number of its kind, and the value with the fields as they are now.
    static func code<C: Coder>(
        _ value: Self, _ coder: inout C
    ) throws(C.Failure) -> (kind: UInt8, value: Self)
}

/// An empty value of every kind of a choice, by number.
struct Kinds<Value: WireChoice>: Sendable {
    private let blanks: [Value?]

    init(_ values: Value...) {
        var blanks = [Value?](repeating: nil, count: 256)
        for value in values {
            let kind = Value.kind(of: value)
            precondition(blanks[Int(kind)] == nil, "two messages of kind \(kind)")
            blanks[Int(kind)] = value
        }
        self.blanks = blanks
    }

    /// The empty value of a kind; nil if there is none of that number.
    subscript(kind: UInt8) -> Value? { blanks[Int(kind)] }

    func contains(_ kind: UInt8) -> Bool { blanks[Int(kind)] != nil }

    /// The empty values, by number.
    var values: [Value] { blanks.compactMap { $0 } }
}

extension WireChoice {
    static func kind(of value: Self) -> UInt8 {
        var counter = ByteCounter()
        return Self.code(value, &counter).kind
    }
}

/// A number whose bytes in memory are its bytes on the wire.
protocol PlainNumber: BitwiseCopyable {}

#if _endian(little)
    extension UInt8: PlainNumber {}
    extension Int32: PlainNumber {}
    extension UInt32: PlainNumber {}
    extension Double: PlainNumber {}
#endif

/// Counts the bytes that a value takes.
struct ByteCounter: Coder {
    private(set) var bytes = 0

    mutating func integer<Value: FixedWidthInteger>(_ value: inout Value, _ field: String) {
        bytes += MemoryLayout<Value>.size
    }

    mutating func text(_ value: inout String, _ field: String, limit: Int) {
        bytes += 4 + value.utf8.count
    }

    mutating func numbers<Number: PlainNumber>(
        _ values: inout [Number], _ field: String, limit: Int
    ) {
        bytes += 4 + values.count * MemoryLayout<Number>.size
    }

    mutating func each<Value: WireCodable>(
        _ values: inout [Value], _ field: String, limit: Int
    ) {
        bytes += 4
        for var value in values { value.code(&self) }
    }

    func check(_ isRight: @autoclosure () -> Bool, or error: @autoclosure () -> WireError) {}
}

// MARK: - Fields of more than one type

extension Coder {
    /// Codes one byte, 0 or 1.
    mutating func bool(_ value: inout Bool, _ field: String) throws(Failure) {
        var byte: UInt8 = value ? 1 : 0
        try integer(&byte, field)
        try check(byte < 2, or: .unknownValue(field: field, value: Int(byte)))
        value = byte == 1
    }

    mutating func float(_ value: inout Float, _ field: String) throws(Failure) {
        var bits = value.bitPattern
        try integer(&bits, field)
        value = Float(bitPattern: bits)
    }

    mutating func double(_ value: inout Double, _ field: String) throws(Failure) {
        var bits = value.bitPattern
        try integer(&bits, field)
        value = Double(bitPattern: bits)
    }

    /// Codes a count of at most `limit` in 64 bits. A negative one is a broken invariant.
    mutating func count(_ value: inout Int, _ field: String, limit: Int) throws(Failure) {
        var number = UInt64(value)
        try integer(&number, field)
        try check(
            number <= UInt64(limit),
            or: .tooLong(field: field, count: Int(clamping: number), limit: limit))
        value = Int(number)
    }

    /// Codes a step of the run, or a count that grows no faster.
    mutating func step(_ value: inout Int, _ field: String = "step") throws(Failure) {
        try count(&value, field, limit: WireLimit.steps)
    }

    /// Codes a place among the elements of θ, m and v.
    mutating func element(_ value: inout Int, _ field: String) throws(Failure) {
        try count(&value, field, limit: WireLimit.elements)
    }

    /// Codes an integer that travels as a narrower one. One that does not fit is a broken invariant.
    mutating func integer<Value: FixedWidthInteger>(
        _ value: inout Int, _ field: String, as type: Value.Type
    ) throws(Failure) {
        var number = Value(value)
        try integer(&number, field)
        value = Int(number)
    }

    /// Codes an integer that travels as a narrower one; one that does not fit becomes the nearest.
    mutating func integer<Value: FixedWidthInteger>(
        clamping value: inout Int, _ field: String, as type: Value.Type
    ) throws(Failure) {
        value = Int(Value(clamping: value))
        try integer(&value, field, as: type)
    }

    /// Codes the index of a shard.
    mutating func shard(_ value: inout Int) throws(Failure) {
        let limit = WireLimit.shards - 1
        try integer(&value, "shard", as: UInt32.self)
        try check(value <= limit, or: .tooLong(field: "shard", count: value, limit: limit))
    }

    /// Codes a span of time that can be counted in milliseconds: not negative, NaN or endless.
    mutating func seconds(_ value: inout Double, _ field: String = "seconds") throws(Failure) {
        try rate(&value, field, limit: WireLimit.seconds)
    }

    /// Codes a moment on somebody's clock, in nanoseconds: sums and differences of a few cannot
    /// overflow.
    mutating func moment(_ value: inout Int64) throws(Failure) {
        try integer(&value, "moment")
        try check(
            (0...WireLimit.nanoseconds).contains(value),
            or: .unknownValue(field: "moment", value: 0))
    }

    /// Codes bytes a second: not negative, NaN or endless.
    mutating func rate(
        _ value: inout Double, _ field: String, limit: Double = WireLimit.rate
    ) throws(Failure) {
        try double(&value, field)
        try check(value >= 0 && value <= limit, or: .unknownValue(field: field, value: 0))
    }

    /// Codes text of at most `WireLimit.text` bytes.
    mutating func text(_ value: inout String, _ field: String) throws(Failure) {
        try text(&value, field, limit: WireLimit.text)
    }

    /// Codes prose that may have come from anywhere: longer prose is cut, so that every reader takes
    /// it.
    mutating func prose(_ value: inout String, _ field: String) throws(Failure) {
        if value.utf8.count > WireLimit.text {
            value = String(decoding: value.utf8.prefix(WireLimit.text - 3), as: UTF8.self)
        }
        try text(&value, field)
    }

    /// Codes a public key of `WireLimit.key` bytes; `orNone`: or nothing.
    mutating func key(
        _ value: inout [UInt8], _ field: String, orNone: Bool = false
    ) throws(Failure) {
        try numbers(&value, field, limit: WireLimit.key)
        try check(
            value.count == WireLimit.key || (orNone && value.isEmpty),
            or: .unknownValue(field: field, value: value.count))
    }

    /// Codes a case by its raw value.
    mutating func rawValue<Value: RawRepresentable>(
        _ value: inout Value, _ field: String
    ) throws(Failure) where Value.RawValue == UInt8 {
        var raw = value.rawValue
        try integer(&raw, field)
        let read = Value(rawValue: raw)
        try check(read != nil, or: .unknownValue(field: field, value: Int(raw)))
        value = read ?? value
    }

    /// Codes whether there is a value, and the value if there is.
    mutating func optional<Value: WireCodable>(
        _ value: inout Value?, _ field: String
    ) throws(Failure) {
        var isThere = value != nil
        try bool(&isThere, field)
        guard isThere else {
            value = nil
            return
        }
        var present = value ?? Value()
        try present.code(&self)
        value = present
    }

    /// Codes the number of a value's kind, and its fields.
    mutating func choice<Value: WireChoice>(
        _ value: inout Value, _ field: String
    ) throws(Failure) {
        var kind = Value.kind(of: value)
        try integer(&kind, field)
        let blank = Value.kinds[kind]
        try check(blank != nil, or: .unknownValue(field: field, value: Int(kind)))
        // A reader starts from the empty value, who writes from its own.
        if Value.kind(of: value) != kind, let blank { value = blank }
        value = try Value.code(value, &self).value
    }
}

// MARK: - Fields of a choice, which are bound by its pattern

extension Coder {
    mutating func coded<Value: WireCodable>(_ value: Value) throws(Failure) -> Value {
        var value = value
        try value.code(&self)
        return value
    }

    mutating func integer<Value: FixedWidthInteger>(
        _ value: Value, _ field: String
    ) throws(Failure) -> Value {
        var value = value
        try integer(&value, field)
        return value
    }

    mutating func integer<Value: FixedWidthInteger>(
        _ value: Int, _ field: String, as type: Value.Type
    ) throws(Failure) -> Int {
        var value = value
        try integer(&value, field, as: type)
        return value
    }

    mutating func integer<Value: FixedWidthInteger>(
        clamping value: Int, _ field: String, as type: Value.Type
    ) throws(Failure) -> Int {
        var value = value
        try integer(clamping: &value, field, as: type)
        return value
    }

    mutating func step(_ value: Int) throws(Failure) -> Int {
        var value = value
        try step(&value)
        return value
    }

    mutating func element(_ value: Int, _ field: String) throws(Failure) -> Int {
        var value = value
        try element(&value, field)
        return value
    }

    mutating func float(_ value: Float, _ field: String) throws(Failure) -> Float {
        var value = value
        try float(&value, field)
        return value
    }

    mutating func double(_ value: Double, _ field: String) throws(Failure) -> Double {
        var value = value
        try double(&value, field)
        return value
    }

    mutating func text(_ value: String, _ field: String) throws(Failure) -> String {
        var value = value
        try text(&value, field)
        return value
    }

    mutating func prose(_ value: String, _ field: String) throws(Failure) -> String {
        var value = value
        try prose(&value, field)
        return value
    }

    mutating func bytes(
        _ value: [UInt8], _ field: String, limit: Int
    ) throws(Failure) -> [UInt8] {
        var value = value
        try numbers(&value, field, limit: limit)
        return value
    }

    mutating func key(_ value: [UInt8], _ field: String) throws(Failure) -> [UInt8] {
        var value = value
        try key(&value, field)
        return value
    }
}
