import Testing
import Text

@Suite struct WordTokensTests {
    private func pair(_ source: String, _ target: String) -> SentencePair {
        let place = Place(file: "memory", line: 1)
        return SentencePair(source: source, target: target, sourcePlace: place, targetPlace: place)
    }

    // Python: re.findall(r"\w+|[^\w\s]", …) and collections.Counter(…).most_common().
    @Test func `words are numbered by frequency, then by appearance`() {
        let tokens = WordTokens([
            pair("b a-b _x9", "a, a."), pair("c\u{a0}c \u{1d}½² c", "e\u{301} 日本。"),
        ])
        // a 3, c 3, b 2, then once each: - _x9 , . ½² e U+0301 日本 。
        #expect(tokens.vocabulary == 4 + 12)
        #expect(
            tokens.corpus.samples[0] == Sample(source: [6, 4, 7, 6, 8], target: [4, 9, 4, 10]))
        #expect(
            tokens.corpus.samples[1]
                == Sample(source: [5, 5, 11, 5], target: [12, 13, 14, 15]))
    }

    // Computed with batches_of of shared/bench/torch_ddp.py.
    @Test func `the embedded text has the peer's vocabulary and tokens`() throws {
        let tokens = try WordTokens(.embedded)
        #expect(tokens.corpus.samples.count == 4401)
        #expect(tokens.vocabulary == Self.vocabulary)
        #expect(tokens.corpus.tokens == Self.tokens)
        #expect(tokens.corpus.samples[0] == Sample(source: Self.source, target: Self.target))
    }
    static let vocabulary = 2424
    static let tokens = 75630
    static let source: [Int32] = [767, 111, 691, 925, 11, 229, 4]
    static let target: [Int32] = [62, 127, 6, 219, 376, 1245, 18, 219]
}
