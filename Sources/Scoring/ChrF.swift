/// chrF: the F-score of character n-grams of 1…6, recall twice as heavy as precision; chrF++ takes
/// word n-grams of 1 and 2 as well.
///
///     score = 100 · (1 + β²) · P · R / (β² · P + R)
///
/// P and R are the means of precision and recall over the orders that both sides have. Of several
/// references each line is compared with that which gives it the best score.
///
/// Statistics: for each order n-grams of the hypothesis, of the reference, and those that match.
///
/// Source: Popović, "chrF", WMT 2015; Popović, "chrF++", WMT 2017; sacreBLEU 2.6.0, metrics/chrf.py.
package struct ChrF: Metric, Hashable {
    /// The longest n-grams that count, in characters.
    package static let characterOrder = 6
    /// How much heavier recall is than precision.
    package static let beta = 2

    /// 0 of chrF, 2 of chrF++.
    package var wordOrder: Int
    /// Whether capitals count as small letters.
    package var lowercase: Bool

    /// Makes the metric; the defaults are sacreBLEU's.
    package init(wordOrder: Int = 0, lowercase: Bool = false) {
        self.wordOrder = wordOrder
        self.lowercase = lowercase
    }

    /// The name that sacreBLEU prints.
    package var name: String { "chrF\(Self.beta)" + String(repeating: "+", count: wordOrder) }

    /// The parts of the signature: case and what else decides the score.
    package var traits: [(key: String, value: String)] {
        [
            ("case", lowercase ? "lc" : "mixed"), ("eff", "yes"),
            ("nc", String(Self.characterOrder)), ("nw", String(wordOrder)), ("space", "no"),
        ]
    }

    /// Returns what one hypothesis shares with its references, in the order that the type names.
    package func statistics(
        of hypothesis: [Unicode.Scalar], against references: [[Unicode.Scalar]]
    ) -> [Double] {
        var vocabulary = Vocabulary()
        let counted = counts(of: hypothesis, &vocabulary)
        var best: [Double] = []
        var bestScore = -1.0
        for reference in references {
            let statistics = zip(counted, counts(of: reference, &vocabulary)).flatMap {
                (mine, theirs) -> [Double] in
                // An order that the reference lacks is none of the hypothesis's faults.
                [
                    theirs.grams.isEmpty ? 0 : Double(mine.total), Double(theirs.total),
                    Double(mine.matches(theirs)),
                ]
            }
            let score = result(of: statistics).value
            if score > bestScore {
                bestScore = score
                best = statistics
            }
        }
        return best
    }

    /// Returns the score of summed statistics.
    package func result<Number: BinaryFloatingPoint>(of sums: [Number]) -> Score {
        var precision: Number = 0
        var recall: Number = 0
        var orders: Number = 0
        for index in stride(from: 0, to: sums.count, by: 3) {
            let (mine, theirs, matches) = (sums[index], sums[index + 1], sums[index + 2])
            guard mine > 0, theirs > 0 else { continue }
            precision += matches / mine
            recall += matches / theirs
            orders += 1
        }
        guard orders > 0, precision + recall > 0 else { return Score(0) }
        precision /= orders
        recall /= orders
        let factor = Number(Self.beta * Self.beta)
        let score = (1 + factor) * precision * recall / (factor * precision + recall)
        return Score(Double(100 * score), isSinglePrecision: Number.self == Float.self)
    }

    private func counts(
        of line: [Unicode.Scalar], _ vocabulary: inout Vocabulary
    ) -> [GramCounts] {
        let line = lowercase ? line.lowercased : line
        let characters = line.filter { !$0.isSpace }.map(\.value)
        let ofCharacters = (1...Self.characterOrder).map {
            GramCounts(of: characters, order: $0, bits: 21)
        }
        guard wordOrder > 0 else { return ofCharacters }
        let words = vocabulary.numbers(of: line.splitAtSpace.flatMap(Self.withoutPunctuation))
        return ofCharacters
            + (1...wordOrder).map { GramCounts(of: words, order: $0, bits: 32) }
    }

    /// Cuts one mark off the end of a word, or else off its beginning.
    private static func withoutPunctuation(_ word: Word) -> [Word] {
        if word.count == 1 { return [word] }
        if word[word.count - 1].isASCIIPunctuation { return [word.dropLast(), [word.last!]] }
        if word[0].isASCIIPunctuation { return [[word[0]], Array(word.dropFirst())] }
        return [word]
    }
}

extension Unicode.Scalar {
    fileprivate var isASCIIPunctuation: Bool {
        switch value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }
}
