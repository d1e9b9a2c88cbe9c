/// The script of a text, as far as it decides where words end.
package enum Script: Sendable, Hashable {
    case chinese, japanese, korean, thai, lao, khmer, burmese
    /// Any whose words are parted by blanks.
    case other

    /// How BLEU should cut a text of the script.
    package var tokenisation: Tokenisation {
        switch self {
        case .chinese: .chinese
        case .japanese, .korean, .thai, .lao, .khmer, .burmese: .characters
        case .other: .mteval13a
        }
    }

    /// The script that a third of the letters are of: texts in Chinese name products in Latin.
    ///
    /// Chinese characters beside kana, a tenth of the two or more, are Japanese.
    package init(of lines: some Sequence<String>) {
        var letters = 0
        var counts: [Letter: Int] = [:]
        for line in lines {
            for scalar in line.unicodeScalars where scalar.value >= 0x41 {
                if scalar.value < 0x80 {
                    let isLetter = (0x41...0x5A).contains(scalar.value & ~0x20)
                    letters += isLetter ? 1 : 0
                } else if scalar.properties.isAlphabetic {
                    letters += 1
                    if let letter = Letter(scalar) { counts[letter, default: 0] += 1 }
                }
            }
        }
        func count(_ letter: Letter) -> Int { counts[letter] ?? 0 }
        let eastern = count(.chinese) + count(.kana)
        let shares: [(Script, Int)] = [
            (10 * count(.kana) >= eastern ? .japanese : .chinese, eastern),
            (.korean, count(.hangul)), (.thai, count(.thai)), (.lao, count(.lao)),
            (.khmer, count(.khmer)), (.burmese, count(.burmese)),
        ]
        let largest = shares.max { $0.1 < $1.1 }!
        self = largest.1 > 0 && 3 * largest.1 >= letters ? largest.0 : .other
    }

    private enum Letter: Hashable {
        case chinese, kana, hangul, thai, lao, khmer, burmese

        init?(_ scalar: Unicode.Scalar) {
            switch scalar.value {
            case 0x2E80...0x2FDF, 0x3005, 0x3007, 0x3400...0x4DBF, 0x4E00...0x9FFF,
                0xF900...0xFAFF, 0x20000...0x3FFFF:
                self = .chinese
            case 0x3041...0x30FF, 0x31F0...0x31FF, 0xFF66...0xFF9F: self = .kana
            case 0x1100...0x11FF, 0x3130...0x318F, 0xA960...0xA97F, 0xAC00...0xD7FF:
                self = .hangul
            case 0x0E00...0x0E7F: self = .thai
            case 0x0E80...0x0EFF: self = .lao
            case 0x1780...0x17FF: self = .khmer
            case 0x1000...0x109F, 0xA9E0...0xA9FF, 0xAA60...0xAA7F: self = .burmese
            default: return nil
            }
        }
    }
}
