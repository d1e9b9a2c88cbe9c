/// A piece of HTML. Literals are taken as they stand; a string that is put into one is text, and can
/// only be shown: nothing in it begins an element, ends an attribute, or turns what follows it.
struct HTML: ExpressibleByStringInterpolation, Sendable {
    let source: String

    init(stringLiteral source: String) { self.source = source }

    init(stringInterpolation: StringInterpolation) { source = stringInterpolation.source }

    /// What is put into a literal.
    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var source = ""

        init(literalCapacity: Int, interpolationCount: Int) {}

        mutating func appendLiteral(_ literal: String) { source += literal }

        mutating func appendInterpolation(_ text: String) { source += HTML.escaped(text) }

        mutating func appendInterpolation(_ number: Int) { source += String(number) }

        mutating func appendInterpolation(_ piece: HTML) { source += piece.source }

        mutating func appendInterpolation(_ pieces: [HTML]) {
            for piece in pieces { source += piece.source }
        }
    }

    /// Text for an element or an attribute in quotes. What a browser would obey is shown instead.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.visible.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

/// Text for Markdown, on one line: nothing in it is taken for markup, a link or HTML.
enum Markdown {
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.visibleLine.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\\", "`", "*", "_", "[", "]", "(", ")", "#", "|", "~", "!", "$", "@", ":":
                escaped += "\\\(scalar)"
            case "\t": escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        // Without a scheme, too, a name may become a link.
        return escaped.replacing("www.", with: "www\\.").replacing("WWW.", with: "WWW\\.")
    }

    /// A table; the cells are Markdown already.
    static func table(_ head: [String], _ rows: [[String]], numbersFrom column: Int = 1) -> String {
        let rule = head.indices.map { $0 < column ? "---" : "---:" }
        return ([head, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }
}
