import Foundation

extension Unicode.Scalar {
    /// White space as Python's `str.isspace` sees it: Unicode's own and the four separators
    /// U+001C to U+001F.
    var isSpace: Bool {
        if value < 0x80 { return UInt8(value).isSpace }
        return properties.isWhitespace
    }

    /// White space, or U+2581, with which SentencePiece writes a space.
    fileprivate var isGap: Bool { isSpace || value == 0x2581 }

    /// Whether the scalar means nothing at the end of a sentence, where nobody sees it: spaces without
    /// width, marks of writing direction, soft hyphens, joiners, byte order marks.
    fileprivate var isUnseenAtEnd: Bool {
        switch value {
        case 0xAD, 0x34F, 0x61C, 0x180E, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x206F, 0xFEFF:
            true
        default: false
        }
    }

    /// Whether the scalar is in NFC, whatever stands around it, if all its neighbours are such, too:
    /// of combining class 0, and with the property NFC_Quick_Check. Says no where it does not know.
    ///
    /// Source: Unicode Standard Annex 15, section 9.
    fileprivate var isComposed: Bool {
        switch value {
        case 0..<0x300, 0x388...0x3FF, 0x400...0x482, 0x48A...0x52F, 0x5D0...0x5EA, 0x621...0x63A,
            0x641...0x64A, 0x1E00...0x1EFF, 0x2010...0x205E, 0x20A0...0x20C0, 0x2190...0x2300,
            0x2500...0x25FF, 0x3001...0x3029, 0x3041...0x3096, 0x30A0...0x30FF, 0x3400...0x4DBF,
            0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xFF01...0xFFEE, 0x1F300...0x1FAFF:
            true
        default: false
        }
    }
}

extension UInt8 {
    /// White space among ASCII.
    fileprivate var isSpace: Bool {
        self == 0x20 || (0x09...0x0D).contains(self) || (0x1C...0x1F).contains(self)
    }
}

extension String {
    /// The text in NFC, every run of white space as one space, none at either end.
    ///
    /// U+2581, with which SentencePiece writes a space, counts as white space.
    package var normalised: String {
        switch form {
        case .normalised: return self
        case .composed: return collapsed
        case .other: return precomposedStringWithCanonicalMapping.collapsed
        }
    }

    /// The text as a tokenizer sees it under `rules`.
    package func normalised(_ rules: TextRules) -> String {
        rules == .first ? normalised : trimmed.normalised
    }

    /// The text without white space, and characters that nobody sees, at either end.
    package var trimmed: String {
        func isMargin(_ scalar: Unicode.Scalar) -> Bool { scalar.isGap || scalar.isUnseenAtEnd }
        guard let first = unicodeScalars.first, let last = unicodeScalars.last,
            isMargin(first) || isMargin(last)
        else { return self }
        let start = unicodeScalars.drop(while: isMargin)
        guard let end = start.lastIndex(where: { !isMargin($0) }) else { return "" }
        return String(start[...end])
    }

    /// Whether the text has no word under `rules`.
    package func isBlank(_ rules: TextRules) -> Bool {
        unicodeScalars.allSatisfy {
            // No letter below U+00AD is one that nobody sees.
            $0.isGap
                || rules != .first && $0.value >= 0xAD
                    && $0.properties.isDefaultIgnorableCodePoint
        }
    }

    /// The work that is left before a text is normalised.
    private enum Form { case normalised, composed, other }

    private var form: Form {
        var form = Form.normalised
        // A text must not begin with a space.
        var follows = true
        for scalar in unicodeScalars {
            guard scalar.isComposed else { return .other }
            if scalar.isGap {
                if follows || scalar != " " { form = .composed }
                follows = true
            } else {
                follows = false
            }
        }
        return follows && !isEmpty ? .composed : form
    }

    private var collapsed: String {
        var scalars = String.UnicodeScalarView()
        var pending = false
        for scalar in unicodeScalars {
            if scalar.isGap {
                pending = !scalars.isEmpty
            } else {
                if pending { scalars.append(" ") }
                pending = false
                scalars.append(scalar)
            }
        }
        return String(scalars)
    }

    /// FNV-1a, 64 bits, over the UTF-8 bytes of the text in NFC, lower-cased, its white space
    /// collapsed: equal for sentences that differ in nothing else.
    ///
    /// Source: Fowler, Noll, Vo; draft-eastlake-fnv, section 3.
    package var fingerprint: UInt64 {
        let composed = form == .other ? precomposedStringWithCanonicalMapping : self
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var pending = false
        var started = false
        func add(_ byte: UInt8) {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        for scalar in composed.lowercased().unicodeScalars {
            if scalar.isSpace {
                pending = started
            } else {
                if pending { add(0x20) }
                pending = false
                started = true
                for byte in UTF8.encode(scalar)! { add(byte) }
            }
        }
        return hash
    }
}
