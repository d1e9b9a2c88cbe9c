/// sacreBLEU's tokenisation 13a, scalar by scalar as its regular expressions see it.
///
/// Source: sacreBLEU 2.6.0, tokenizers/tokenizer_13a.py and tokenizer_re.py (after mteval-v13a.pl).
extension BLEU {
    static func words(of sentence: String) -> [[Unicode.Scalar]] {
        var line = Array(sentence.unicodeScalars)
        while let last = line.last, last.isSpace { line.removeLast() }
        line = replace("<skipped>", by: "", in: line)
        line = replace("-\n", by: "", in: line)
        line = replace("\n", by: " ", in: line)
        for (entity, character) in [
            ("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"),
        ] {
            line = replace(entity, by: character, in: line)
        }
        line = spacedOut([" "] + line + [" "], where: \.isSymbol)
        line = parted(line) {
            !$0.isDigit && $1.isStop
        } into: {
            [$0, " ", $1, " "]
        }
        line = parted(line) {
            $0.isStop && !$1.isDigit
        } into: {
            [" ", $0, " ", $1]
        }
        line = parted(line) {
            $0.isDigit && $1 == "-"
        } into: {
            [$0, " ", $1, " "]
        }
        return line.split(whereSeparator: \.isSpace).map(Array.init)
    }

    private static func replace(
        _ pattern: String, by replacement: String, in line: [Unicode.Scalar]
    ) -> [Unicode.Scalar] {
        let pattern = Array(pattern.unicodeScalars)
        guard line.contains(pattern[0]) else { return line }
        var result: [Unicode.Scalar] = []
        var index = 0
        while index < line.count {
            if line[index...].starts(with: pattern) {
                result.append(contentsOf: replacement.unicodeScalars)
                index += pattern.count
            } else {
                result.append(line[index])
                index += 1
            }
        }
        return result
    }

    private static func spacedOut(
        _ line: [Unicode.Scalar], where matches: (Unicode.Scalar) -> Bool
    ) -> [Unicode.Scalar] {
        line.flatMap { matches($0) ? [" ", $0, " "] : [$0] }
    }

    /// Replaces neighbours that match, left to right, none twice.
    private static func parted(
        _ line: [Unicode.Scalar],
        where matches: (Unicode.Scalar, Unicode.Scalar) -> Bool,
        into pieces: (Unicode.Scalar, Unicode.Scalar) -> [Unicode.Scalar]
    ) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var index = 0
        while index < line.count {
            if index + 1 < line.count, matches(line[index], line[index + 1]) {
                result.append(contentsOf: pieces(line[index], line[index + 1]))
                index += 2
            } else {
                result.append(line[index])
                index += 1
            }
        }
        return result
    }
}

extension Unicode.Scalar {
    /// `[\{-\~\[-\` -\&\(-\+\:-\@\/]`: ASCII symbols but for ' , - and full stop.
    fileprivate var isSymbol: Bool {
        switch value {
        case 0x7B...0x7E, 0x5B...0x60, 0x20...0x26, 0x28...0x2B, 0x3A...0x40, 0x2F: true
        default: false
        }
    }
    fileprivate var isDigit: Bool { (0x30...0x39).contains(value) }
    fileprivate var isStop: Bool { self == "." || self == "," }
}
