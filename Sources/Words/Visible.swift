extension String {
    /// The text with characters made visible that a terminal obeys instead of showing: controls such as
    /// escape sequences, and those that turn the direction of what follows.
    ///
    /// Line feeds and tabs stay. Text of a corpus, names of files, hosts and workers are others' work.
    package var visible: String {
        guard unicodeScalars.contains(where: \.isObeyed) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            text += scalar.isObeyed ? scalar.shown : String(scalar)
        }
    }

    /// The same on one line.
    package var visibleLine: String {
        let line = split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.visible
    }

    /// JSON, in which characters that a terminal obeys can only stand within strings, with those in the
    /// escaped form that says the same.
    package var visibleJSON: String {
        guard unicodeScalars.contains(where: \.isObeyed) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            guard scalar.isObeyed else {
                text += String(scalar)
                return
            }
            let digits = String(scalar.value, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
}

extension Unicode.Scalar {
    /// As in Swift's own literals: `\u{1B}`.
    fileprivate var shown: String {
        "\\u{\(String(value, radix: 16, uppercase: true))}"
    }

    fileprivate var isObeyed: Bool {
        switch value {
        case 0x09, 0x0A: false
        // C0, DEL and C1; separators of lines; embeddings, overrides and isolates.
        case 0..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// The character and its code: `é (U+00E9)`.
    var named: String {
        let digits = String(value, radix: 16, uppercase: true)
        let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return isObeyed || properties.isWhitespace || properties.isDefaultIgnorableCodePoint
            ? code : "\(self) (\(code))"
    }
}
