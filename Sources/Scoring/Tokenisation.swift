/// How BLEU cuts a line into words; the names are sacreBLEU's.
package enum Tokenisation: String, CaseIterable, Sendable, Hashable {
    /// Cuts at white space only.
    case none
    /// What WMT scores with: mteval-v13a.
    case mteval13a = "13a"
    /// mteval-v14: cuts at the punctuation and the symbols of all scripts.
    case international = "intl"
    /// Every character is a word.
    case characters = "char"
    /// Every Chinese character is a word, the rest is cut as by 13a.
    case chinese = "zh"

    /// The words of a line, whose trailing white space sacreBLEU removes first.
    package func words(of line: [Unicode.Scalar]) -> [Word] {
        let line = line.withoutTrailingSpace
        return switch self {
        case .none: line.splitAtSpace
        case .mteval13a: Self.mteval13a(line)
        case .international: Self.international(line)
        case .characters: line.filter { !$0.isSpace }.map { [$0] }
        case .chinese: Self.chinese(line)
        }
    }
}
