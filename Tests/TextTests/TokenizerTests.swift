import Testing
import Text

@Suite struct TokenizerTests {
    static let lines: [String] = {
        let corpus = try! Corpus.embedded()
        return corpus.training.flatMap { [$0.source, $0.target] }
    }()
    static let tokenizer = try! Tokenizer.train(on: lines, vocabulary: 1000)

    @Test(arguments: Tokenizer.Method.allCases)
    func `the same text gives the same model`(_ method: Tokenizer.Method) throws {
        let lines = Array(Self.lines.prefix(2000))
        let first = try Tokenizer.train(on: lines, vocabulary: 500, method: method)
        let second = try Tokenizer.train(on: lines, vocabulary: 500, method: method)
        #expect(first.model == second.model)
        #expect(first.vocabulary == 500)
        #expect(
            try Tokenizer(model: first.model, file: "").encode("Insert") == first.encode("Insert"))
    }

    @Test func `decoding what was encoded gives the normalised text`() throws {
        for line in Self.lines {
            let ids = try Self.tokenizer.encode(line)
            #expect(try Self.tokenizer.decode(ids) == line.normalised)
            #expect(ids.allSatisfy { (4..<1000).contains($0) })
        }
        let odd = " L'e\u{301}le\u{301}ment\u{a0}:  \t x \u{2581}y\r\n "
        #expect(odd.normalised == "L'élément : x y")
        #expect(try Self.tokenizer.decode(Self.tokenizer.encode(odd)) == "L'élément : x y")
    }

    @Test(arguments: ["", "   ", "\u{2581}"]) func `nothing encodes to nothing`(
        _ text: String
    ) throws {
        #expect(try Self.tokenizer.encode(text) == [])
        #expect(try Self.tokenizer.decode([]) == "")
    }

    @Test func `marks in the text are plain characters, marks among the ids are silent`() throws {
        let ids = try Self.tokenizer.encode("a </s> <s> <pad> b")
        #expect(ids.allSatisfy { $0 > 2 })
        let word = try Self.tokenizer.encode("table")
        #expect(try Self.tokenizer.decode([1] + word + [2, 0]) == "table")
    }

    @Test func `unknown characters have the unknown id`() throws {
        #expect(try Self.tokenizer.encode("日本").contains(Tokenizer.unknown))
        #expect(try Self.tokenizer.decode([3]).contains("⁇"))
    }

    @Test(arguments: [-1, 1000, Int32.min, Int32.max])
    func `ids outside the vocabulary are refused`(_ id: Int32) {
        #expect(throws: TextError.unknownID(Int(id), vocabulary: 1000)) {
            try Self.tokenizer.decode([5, id])
        }
    }

    @Test(arguments: Tokenizer.Method.allCases)
    func `a text too small for the vocabulary says how large it may be`(
        _ method: Tokenizer.Method
    ) throws {
        let lines = Array(Self.lines.prefix(40))
        var largest = 0
        do {
            _ = try Tokenizer.train(on: lines, vocabulary: 30_000, method: method)
        } catch .vocabularyTooLarge(let requested, let allowed) {
            #expect(requested == 30_000)
            largest = allowed
        }
        #expect(largest > 50)
        let tokenizer = try Tokenizer.train(on: lines, vocabulary: largest, method: method)
        #expect(tokenizer.vocabulary == largest)
    }

    @Test func `the embedded text allows a vocabulary of 4,000`() throws {
        let corpus = try Corpus.embedded()
        let tokenizer = try Tokenizer.train(on: corpus, vocabulary: 4000)
        let held = try TokenizedCorpus(corpus.heldOut, tokenizer: tokenizer, positions: 64)
        #expect(held.samples.allSatisfy { !($0.source + $0.target).contains(Tokenizer.unknown) })
    }

    @Test func `a vocabulary too small for the characters says how small it may be`() throws {
        #expect(throws: TextError.vocabularyTooSmall(requested: 30, smallest: 94)) {
            try Tokenizer.train(on: Self.lines, vocabulary: 30)
        }
        for vocabulary in [Int.min, -1, 0, 4] {
            #expect(throws: TextError.vocabularyTooSmall(requested: vocabulary, smallest: 5)) {
                try Tokenizer.train(on: Self.lines, vocabulary: vocabulary)
            }
        }
    }

    @Test(arguments: [[], [""], [" ", "\n"]]) func `no text is refused`(_ lines: [String]) {
        #expect(throws: TextError.self) { try Tokenizer.train(on: lines, vocabulary: 100) }
    }

    @Test func `long lines are learned from as a whole`() throws {
        let line = String(repeating: "abc def ", count: 1000) + "zebra"
        let tokenizer = try Tokenizer.train(on: [line], vocabulary: 16, method: .bytePairs)
        #expect(!(try tokenizer.encode("zebra")).contains(Tokenizer.unknown))
    }

    @Test func `a word that would end the process is refused`() {
        let word = String(repeating: "ab", count: 40_000)
        #expect(
            throws: TextError.lineTooLong(
                Place(file: "", line: 2), bytes: 80_000, limit: 65_536)
        ) { try Tokenizer.train(on: ["a", word], vocabulary: 16, method: .bytePairs) }
    }

    @Test func `many threads encode alike`() async throws {
        let lines = Array(Self.lines.prefix(400))
        let alone = try lines.map { try Self.tokenizer.encode($0) }
        try await withThrowingTaskGroup(of: [[Int32]].self) { group in
            for _ in 0..<8 {
                group.addTask { try lines.map { try Self.tokenizer.encode($0) } }
            }
            for try await together in group { #expect(together == alone) }
        }
    }

    @Test func `bytes that are no model are refused`() {
        let model = Self.tokenizer.model
        let noise = (0..<500).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ 7) }
        for bytes in [[], noise, Array(model.prefix(model.count / 2)), Array(model.prefix(9))] {
            #expect(throws: TextError.self) { try Tokenizer(model: bytes, file: "") }
        }
    }

    @Test func `training says nothing`() async throws {
        let result = try await #require(
            processExitsWith: .success,
            observing: [\.standardOutputContent, \.standardErrorContent]
        ) {
            for method in Tokenizer.Method.allCases {
                _ = try Tokenizer.train(on: TokenizerTests.lines, vocabulary: 300, method: method)
                _ = try? Tokenizer.train(
                    on: TokenizerTests.lines, vocabulary: 90_000, method: method)
                _ = try? Tokenizer.train(on: TokenizerTests.lines, vocabulary: 20, method: method)
                _ = try? Tokenizer(model: [1, 2, 3], file: "")
            }
        }
        #expect(result.standardErrorContent == [])
        #expect(result.standardOutputContent == [])
    }
}
