import Foundation

/// The figures of one line of `metrics.jsonl`: the numbers of the outermost object, and no others.
///
/// A reader of its own: a run of a million steps has as many lines, and a general decoder takes
/// twenty times as long.
struct MetricsLine {
    /// The step; 0 where the line has none.
    var step = 0
    /// By `Column.index`; NaN where the line has none.
    var values = [Float](repeating: .nan, count: Column.count)
    /// Numbers under other keys: what a look at the held-out part has found.
    var others: [(name: String, value: Double)] = []

    static let keys = Column.allCases.map { Array($0.rawValue.utf8) }
    private static let stepKey = Array("step".utf8)
    private static let mostOthers = 64

    /// Reads a line. Returns whether it is an object with a step.
    mutating func read(_ line: UnsafeRawBufferPointer) -> Bool {
        step = 0
        for index in values.indices { values[index] = .nan }
        others.removeAll(keepingCapacity: true)
        var scanner = Scanner(line)
        guard scanner.take("{") else { return false }
        while let key = scanner.string() {
            guard scanner.take(":") else { return false }
            if let number = scanner.number() {
                put(number, under: key, of: line)
            } else if !scanner.skipValue() {
                return false
            }
            if scanner.take("}") { return step > 0 }
            guard scanner.take(",") else { return false }
        }
        return false
    }

    private mutating func put(
        _ number: Double, under key: Range<Int>, of line: UnsafeRawBufferPointer
    ) {
        let name = UnsafeRawBufferPointer(rebasing: line[key])
        if name.elementsEqual(Self.stepKey) {
            step = number >= 1 && number < 9e15 ? Int(number) : 0
        } else if let index = Self.keys.firstIndex(where: { name.elementsEqual($0) }) {
            values[index] = Float(number)
        } else if others.count < Self.mostOthers {
            others.append((String(decoding: name, as: UTF8.self), number))
        }
    }
}

/// Steps through the bytes of JSON.
private struct Scanner {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func skipSpace() {
        while at < bytes.count, [0x20, 0x09, 0x0D].contains(bytes[at]) { at += 1 }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    /// The range of a string's bytes, quotes left out, escapes as they are.
    mutating func string() -> Range<Int>? {
        guard take("\"") else { return nil }
        let begin = at
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                return begin..<at - 1
            case UInt8(ascii: "\\"): at += 2
            default: at += 1
            }
        }
        return nil
    }

    /// A number, or a string that stands for one; nil, and nothing is taken, for anything else.
    mutating func number() -> Double? {
        skipSpace()
        let begin = at
        var text: Range<Int>
        if at < bytes.count, bytes[at] == UInt8(ascii: "\"") {
            guard let inner = string() else { return nil }
            text = inner
        } else {
            while at < bytes.count, Self.isNumeric(bytes[at]) { at += 1 }
            text = begin..<at
        }
        guard !text.isEmpty, text.count <= 32,
            let number = Double(String(decoding: bytes[text], as: UTF8.self))
        else {
            at = begin
            return nil
        }
        return number
    }

    private static func isNumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"),
            UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// Passes over a value of any kind. Returns whether there was a whole one.
    mutating func skipValue() -> Bool {
        skipSpace()
        var depth = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                guard string() != nil else { return false }
                if depth == 0 { return true }
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if depth == 0 { return true }
                depth -= 1
                if depth == 0 {
                    at += 1
                    return true
                }
            case UInt8(ascii: ","): if depth == 0 { return true }
            default: break
            }
            at += 1
        }
        return false
    }
}
