/// sacreBLEU's tokenisation 13a, scalar by scalar as its regular expressions see it.
///
/// Source: sacreBLEU 2.6.0, tokenizers/tokenizer_13a.py and tokenizer_re.py (after mteval-v13a.pl).
extension Tokenisation {
    static func mteval13a(_ line: [Unicode.Scalar]) -> [Word] {
        var line = line.replacing("<skipped>", with: "").replacing("-\n", with: "")
            .replacing("\n", with: " ")
        if line.contains("&") {
            line = line.replacing("&quot;", with: "\"").replacing("&amp;", with: "&")
                .replacing("&lt;", with: "<").replacing("&gt;", with: ">")
        }
        return western([" "] + line + [" "])
    }

    /// What 13a and zh share: marks stand alone, but for those within numbers.
    static func western(_ line: [Unicode.Scalar]) -> [Word] {
        line.spaced(where: \.isSymbolOf13a)
            .parted {
                !$0.isASCIIDigit && $1.isStop
            } into: {
                [$0, " ", $1, " "]
            }
            .parted {
                $0.isStop && !$1.isASCIIDigit
            } into: {
                [" ", $0, " ", $1]
            }
            .parted {
                $0.isASCIIDigit && $1 == "-"
            } into: {
                [$0, " ", $1, " "]
            }
            .splitAtSpace
    }
}

extension Unicode.Scalar {
    /// `[\{-\~\[-\` -\&\(-\+\:-\@\/]`: ASCII symbols but for ' , - and full stop.
    fileprivate var isSymbolOf13a: Bool {
        switch value {
        case 0x7B...0x7E, 0x5B...0x60, 0x20...0x26, 0x28...0x2B, 0x3A...0x40, 0x2F: true
        default: false
        }
    }
    fileprivate var isStop: Bool { self == "." || self == "," }
}
