import Foundation

extension Unicode.Scalar {
    /// White space as Python's `str.isspace` sees it: Unicode's own and the four separators
    /// U+001C to U+001F.
    var isSpace: Bool {
        if value < 0x80 {
            return value == 0x20 || (0x09...0x0D).contains(value) || (0x1C...0x1F).contains(value)
        }
        return properties.isWhitespace
    }
}

extension String {
    /// The text in NFC, every run of white space as one space, none at either end.
    ///
    /// U+2581, with which SentencePiece writes a space, counts as white space.
    package var normalised: String {
        let composed = precomposedStringWithCanonicalMapping
        var scalars = String.UnicodeScalarView()
        var pending = false
        for scalar in composed.unicodeScalars {
            if scalar.isSpace || scalar.value == 0x2581 {
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
        let folded = precomposedStringWithCanonicalMapping.lowercased()
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var pending = false
        var started = false
        func add(_ byte: UInt8) {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        for scalar in folded.unicodeScalars {
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
