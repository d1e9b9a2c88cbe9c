/// What BLEU counts: a word, a mark or a character, as the scalars it is written with.
///
/// A `String` would not do: Swift takes é in one scalar and in two for equal, sacreBLEU does not.
package typealias Word = [Unicode.Scalar]

extension Unicode.Scalar {
    /// What Python's `str.isspace` holds for white space: its `split` cuts there.
    var isSpace: Bool {
        switch value {
        case 0x9...0xD, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
            0x205F, 0x3000:
            true
        default: false
        }
    }

    var isASCIIDigit: Bool { (0x30...0x39).contains(value) }
}

extension [Unicode.Scalar] {
    /// Python's `rstrip`.
    var withoutTrailingSpace: [Unicode.Scalar] {
        guard let end = lastIndex(where: { !$0.isSpace }) else { return [] }
        return Array(self[...end])
    }

    /// Python's `lstrip`.
    var withoutLeadingSpace: [Unicode.Scalar] { Array(drop(while: \.isSpace)) }

    /// Python's `split`.
    var splitAtSpace: [Word] { split(whereSeparator: \.isSpace).map(Array.init) }

    /// Replaces a text wherever it stands, left to right.
    func replacing(_ text: String, with replacement: String) -> [Unicode.Scalar] {
        let text = Array(text.unicodeScalars)
        guard contains(text[0]) else { return self }
        var result: [Unicode.Scalar] = []
        var index = 0
        while index < count {
            if self[index...].starts(with: text) {
                result.append(contentsOf: replacement.unicodeScalars)
                index += text.count
            } else {
                result.append(self[index])
                index += 1
            }
        }
        return result
    }

    /// Puts blanks around the scalars that match.
    func spaced(where matches: (Unicode.Scalar) -> Bool) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(count + count / 2)
        for scalar in self {
            if matches(scalar) {
                result += [" ", scalar, " "]
            } else {
                result.append(scalar)
            }
        }
        return result
    }

    /// Replaces neighbours that match, left to right, none twice, as a regular expression does.
    func parted(
        where matches: (Unicode.Scalar, Unicode.Scalar) -> Bool,
        into pieces: (Unicode.Scalar, Unicode.Scalar) -> [Unicode.Scalar]
    ) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(count + count / 2)
        var index = 0
        while index < count {
            if index + 1 < count, matches(self[index], self[index + 1]) {
                result += pieces(self[index], self[index + 1])
                index += 2
            } else {
                result.append(self[index])
                index += 1
            }
        }
        return result
    }
}
