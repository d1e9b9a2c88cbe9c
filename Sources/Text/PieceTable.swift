/// The object of `vocab.json`: the number of each piece, in the file's order.
///
/// A reader of its own, since pieces are told apart by their bytes: Unicode's equal texts may be
/// pieces of their own.
struct PieceTable {
    /// A rule of the format that the bytes break; `at` counts them from 0.
    struct Fault: Error, Hashable {
        let at: Int
    }

    /// The pieces in UTF-8, and their numbers.
    private(set) var entries: [(piece: [UInt8], number: Int)] = []

    private let bytes: [UInt8]
    private var place = 0

    /// Reads an object whose values are whole numbers from 0 to below `limit`.
    ///
    /// Throws: `Fault` for anything else, for a piece or a number that stands there twice, and for
    /// text that is not UTF-8.
    init(_ bytes: [UInt8], limit: Int) throws(Fault) {
        self.bytes = bytes
        try expect("{")
        skipBlanks()
        var pieces: Set<[UInt8]> = []
        var numbers: Set<Int> = []
        if peek != UInt8(ascii: "}") {
            repeat {
                skipBlanks()
                let start = place
                let piece = try string()
                try expect(":")
                let number = try self.number(below: limit)
                guard pieces.insert(piece).inserted, numbers.insert(number).inserted else {
                    throw Fault(at: start)
                }
                entries.append((piece, number))
                skipBlanks()
            } while take(",")
        }
        try expect("}")
        skipBlanks()
        guard place == bytes.count else { throw Fault(at: place) }
    }

    private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipBlanks() {
        while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { place += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
        skipBlanks()
        guard take(character) else { throw Fault(at: place) }
    }

    private mutating func number(below limit: Int) throws(Fault) -> Int {
        skipBlanks()
        let start = place
        var value = 0
        while let byte = peek, (0x30...0x39).contains(byte) {
            value = 10 * value + Int(byte - 0x30)
            guard value < limit else { throw Fault(at: start) }
            place += 1
        }
        guard place > start, bytes[start] != 0x30 || place == start + 1 else {
            throw Fault(at: start)
        }
        return value
    }

    private mutating func string() throws(Fault) -> [UInt8] {
        let start = place
        guard take("\"") else { throw Fault(at: place) }
        var text: [UInt8] = []
        while let byte = peek, byte != UInt8(ascii: "\"") {
            place += 1
            if byte == UInt8(ascii: "\\") {
                try escape(into: &text)
            } else {
                guard byte >= 0x20 else { throw Fault(at: place - 1) }
                text.append(byte)
            }
        }
        guard take("\""), String(validating: text, as: UTF8.self) != nil else {
            throw Fault(at: start)
        }
        return text
    }

    private mutating func escape(into text: inout [UInt8]) throws(Fault) {
        let start = place
        guard let byte = peek else { throw Fault(at: place) }
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try fourDigits()
            // A character beyond the first plane is two escapes.
            if (0xD800...0xDBFF).contains(code) {
                guard take("\\"), take("u") else { throw Fault(at: start) }
                let low = try fourDigits()
                guard (0xDC00...0xDFFF).contains(low) else { throw Fault(at: start) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code), let utf8 = UTF8.encode(scalar) else {
                throw Fault(at: start)
            }
            text.append(contentsOf: utf8)
        default: throw Fault(at: start)
        }
    }

    private mutating func fourDigits() throws(Fault) -> UInt32 {
        guard place + 4 <= bytes.count else { throw Fault(at: place) }
        var code: UInt32 = 0
        for byte in bytes[place..<place + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw Fault(at: place)
            }
            code = code << 4 | UInt32(digit)
        }
        place += 4
        return code
    }
}
