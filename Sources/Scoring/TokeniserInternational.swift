/// sacreBLEU's tokenisation intl: punctuation stands alone unless a number is on that side,
/// symbols always do.
///
/// Source: sacreBLEU 2.6.0, tokenizers/tokenizer_intl.py (after mteval-v14.pl).
extension Tokenisation {
    static func international(_ line: [Unicode.Scalar]) -> [Word] {
        let numbers = UnicodeClass.numbers
        let punctuation = UnicodeClass.punctuation
        let symbols = UnicodeClass.symbols
        return
            line
            .parted {
                !numbers.contains($0) && punctuation.contains($1)
            } into: {
                [$0, " ", $1, " "]
            }
            .parted {
                punctuation.contains($0) && !numbers.contains($1)
            } into: {
                [" ", $0, " ", $1]
            }
            .spaced(where: symbols.contains)
            .splitAtSpace
    }
}
