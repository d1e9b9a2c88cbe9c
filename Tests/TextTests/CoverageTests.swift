import Foundation
import Testing
import Text

/// Every character of the text that a tokenizer is trained on has a piece; what others lack is counted.
@Suite struct CoverageTests {
    /// Lines that SentencePiece's trainer skips, or takes something out of.
    static let lines: [[String]] = [
        ["a \u{2585} b", "c \u{2585}"], ["\u{2585}"], ["x\u{2585}y\u{2585}\u{2585}z"],
        ["<s> a </s>", "<s> b"], ["a<pad>b", "<unk>"], ["<s>"], ["</s><s>", "s"],
        ["<s> \u{2585} <unk>", "kn"], ["a \u{1} b \u{7F} \u{9B}"], ["\u{FFFD} a \u{FFFF}"],
        ["\u{10FFFF} \u{E000} \u{E0041}"], ["a\u{300}\u{301} \u{FE0F} 👩‍👩‍👧"], ["<", ">", "<s>"],
        ["⁇ a ⁇"], ["\u{2582} \u{2584} \u{2586}"],
    ]

    @Test(arguments: lines, Tokenizer.Method.allCases)
    func `every character of the training text has a piece`(
        _ odd: [String], method: Tokenizer.Method
    ) throws {
        let plain = (0..<30).map { "word\($0) other\($0 % 7)" }
        let lines = plain + odd
        let tokenizer = try Tokenizer.train(on: lines, atMost: 64, method: method)
        for line in odd {
            let ids = try tokenizer.encode(line)
            #expect(!ids.contains(Tokenizer.unknown), "\(line.debugDescription)")
            let back = try tokenizer.decode(ids)
            #expect(back.unicodeScalars.elementsEqual(line.normalised.unicodeScalars))
            #expect(try tokenizer.unknown(in: line) == "")
        }
    }

    @Test func `a text that needs no care has the pieces that the first rules give it`() throws {
        let lines = Array(TokenizerTests.lines.prefix(1500))
        let first = try Tokenizer.train(on: lines, vocabulary: 500, rules: .first)
        let second = try Tokenizer.train(on: lines, vocabulary: 500, rules: .second)
        #expect(first.model == second.model)
        let odd = lines + ["a \u{2585} b", "<s>"]
        let old = try Tokenizer.train(on: odd, vocabulary: 500, rules: .first)
        #expect(try old.encode("\u{2585}").contains(Tokenizer.unknown))
    }

    @Test func `a tokenizer of another text counts what it does not know`() throws {
        let tokenizer = TokenizerTests.tokenizer
        let place = Place(file: "a", line: 1)
        let pairs = ["The 红 cat.", "红的 and 红", "The cat."].map {
            SentencePair(source: $0, target: "Le chat.", sourcePlace: place, targetPlace: place)
        }
        let corpus = try TokenizedCorpus(pairs, tokenizer: tokenizer, positions: 64)
        let coverage = corpus.coverage
        let ids = corpus.samples.flatMap { $0.source.dropLast() + $0.target }
        #expect(coverage.tokens == ids.count)
        #expect(coverage.unknownTokens == ids.count { $0 == Tokenizer.unknown })
        #expect(coverage.unknown == ["红": 3, "的": 1])
        #expect(coverage.commonest(1) == ["红"] && coverage.isPoor)
        let twice = coverage.and(coverage)
        #expect(twice.unknownTokens == 2 * coverage.unknownTokens && twice.unknown["的"] == 2)
    }

    @Test func `a share of one in a thousand is poor, less is not`() throws {
        let tokenizer = TokenizerTests.tokenizer
        func coverage(_ known: Int) throws -> Coverage {
            let passage = Passage(
                number: 0, text: String(repeating: "a ", count: known) + "红",
                place: Place(file: "a", line: 1), endsText: true)
            return try TokenizedCorpus([passage], tokenizer: tokenizer, positions: 64).coverage
        }
        let (poor, fine) = (try coverage(900), try coverage(2000))
        // "红" takes a piece for the space before it.
        #expect(poor.unknownTokens == 1 && fine.unknownTokens == 1)
        #expect(poor.isPoor && !fine.isPoor)
    }

    @Test func `a tokenizer's own normaliser shows by the characters that it writes otherwise`()
        throws
    {
        let model = try Tokenizer.train(on: ["a b able", "a b c", "A B C"], vocabulary: 14).model
        let plain = try Tokenizer(model: model, file: "")
        #expect(try plain.rewritten(["A AB b"]) == [])
        let mapped = try Tokenizer(
            model: TokenizerFuzzTests.withMap(model, TokenizerFuzzTests.map), file: "")
        #expect(try mapped.rewritten(["A AB b"]) == ["A"])
    }

    @Test func `a vocabulary that shrinks is the largest that the text allows`() throws {
        let lines = Array(TokenizerTests.lines.prefix(40))
        let most = try Tokenizer.train(on: lines, atMost: 4000)
        #expect(most.vocabulary < 4000)
        #expect(
            throws: TextError.vocabularyTooLarge(
                requested: most.vocabulary + 1, largest: most.vocabulary)
        ) { try Tokenizer.train(on: lines, vocabulary: most.vocabulary + 1) }
        let again = try Tokenizer.train(on: lines, vocabulary: most.vocabulary)
        #expect(again.model == most.model)
        #expect(try Tokenizer.train(on: lines, atMost: 100).vocabulary == 100)
    }
}
