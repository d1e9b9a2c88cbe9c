/// Whole words as tokens, for `bench step --corpus`: what `shared/bench/torch_ddp.py` trains on.
///
/// Words are `\w+|[^\w\s]` as Python reads it; ids start at 4, the most frequent word first, equally
/// frequent ones in the order of their first appearance. Sources have no end mark.
package struct WordTokens: Sendable {
    /// The number of different words, and four marks.
    package let vocabulary: Int
    /// The pairs as numbers, in the order of the file.
    package let corpus: TokenizedCorpus

    /// Takes every pair, nothing held out. Throws: what `PairsRead` throws, `nothingToTrainOn`.
    package init(_ source: CorpusSource) throws(TextError) {
        // Words are cut by a rule of their own, out of the lines as they are.
        let read = try PairsRead(source, rules: .first)
        if read.pairs.isEmpty { throw .nothingToTrainOn(file: source.name, read.summary) }
        self.init(read.pairs)
    }

    /// Numbers the words of the pairs; none at all leave an empty corpus.
    package init(_ pairs: [SentencePair]) {
        var numbers: [[Unicode.Scalar]: Int] = [:]
        var counts: [Int] = []
        func count(_ text: String) -> [Int] {
            Self.words(of: text).map { word in
                let number = numbers[word] ?? counts.count
                if number == counts.count {
                    numbers[word] = number
                    counts.append(0)
                }
                counts[number] += 1
                return number
            }
        }
        let counted = pairs.map { (source: count($0.source), target: count($0.target)) }
        let frequentFirst = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }
        var ids = [Int32](repeating: 0, count: counts.count)
        for (rank, number) in frequentFirst.enumerated() { ids[number] = Int32(rank + 4) }
        vocabulary = counts.count + 4
        corpus = TokenizedCorpus(
            samples: counted.map { pair in
                Sample(source: pair.source.map { ids[$0] }, target: pair.target.map { ids[$0] })
            }, places: pairs.map(\.sourcePlace))
    }

    /// Runs of word characters, and every other character that is no white space by itself.
    static func words(of text: String) -> [[Unicode.Scalar]] {
        var words: [[Unicode.Scalar]] = []
        var word: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars {
            if scalar.isWordCharacter {
                word.append(scalar)
                continue
            }
            if !word.isEmpty { words.append(word) }
            word = []
            if !scalar.isSpace { words.append([scalar]) }
        }
        return word.isEmpty ? words : words + [word]
    }
}

extension Unicode.Scalar {
    /// Python's `\w`: letters, whatever has a numeric value, and the underscore.
    fileprivate var isWordCharacter: Bool {
        if value < 0x80 {
            return (0x30...0x39).contains(value) || (0x41...0x5A).contains(value)
                || (0x61...0x7A).contains(value) || value == 0x5F
        }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return true
        default:
            return properties.numericType != nil
        }
    }
}
