import Testing
import Text

@Suite("A text for a language model")
struct PlainTextTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test
    func `the embedded text is read whole and one passage in twenty held out by its fingerprint`()
        throws
    {
        let text = try PlainText(nil)
        #expect(text.summary.unit == .passages && text.summary.lines.read == 241)
        #expect(text.training.count + text.heldOut.count == 241 && text.heldOut.count > 5)
        #expect(text.heldOut.allSatisfy { $0.text.fingerprint % 20 == 0 })
        #expect(text.training.allSatisfy { $0.text.fingerprint % 20 != 0 })
        #expect(text.training[0].text.hasPrefix("CHAPTER I\nBecause of an hereditary"))
        #expect(try PassagesRead(nil).passages.last?.endsText == true)
    }

    @Test func `a passage ends at a blank line and after sixteen lines`() throws {
        let lines = (1...18).map { "line \($0)" } + ["", "  ", "second", "text", "", "third"]
        let path = try folder.write(lines.joined(separator: "\n"), to: "a.txt")
        let passages = try PassagesRead(path).passages
        #expect(passages.map(\.place.line) == [1, 17, 21, 24])
        #expect(passages.map(\.endsText) == [false, true, true, true])
        #expect(passages.map(\.number) == [0, 1, 2, 3])
        #expect(passages[2].text == "second\ntext")
    }

    @Test func `windows are full, follow the text, and stop where something is left out`() throws {
        let words = (0..<40).map { "w\($0 % 7)" }
        let tokenizer = try Tokenizer.train(on: words + ["a b"], vocabulary: 16)
        func passage(_ number: Int, _ text: String, ends: Bool = false) -> Passage {
            Passage(
                number: number, text: text, place: Place(file: "a", line: number + 1),
                endsText: ends)
        }
        let (first, second) = ("w1 w2 w3 w4 w5", "w6 w1 w2")
        let corpus = try TokenizedCorpus(
            [passage(0, first), passage(1, second, ends: true), passage(3, first)],
            tokenizer: tokenizer, positions: 6)
        let stream = try tokenizer.encode(first) + tokenizer.encode(second) + [Tokenizer.end]
        let third = try tokenizer.encode(first)
        let expected = [stream, third].flatMap { run in
            stride(from: 0, to: run.count, by: 6).map { Array(run[$0..<min($0 + 6, run.count)]) }
        }
        #expect(corpus.samples.map(\.target) == expected)
        #expect(corpus.samples.allSatisfy { $0.source.isEmpty && $0.labels == $0.target.count })
        #expect(corpus.tokens == stream.count + third.count)
        #expect(corpus.places.first == Place(file: "a", line: 1))
        let shard = BatchSchedule.batchesInOrder(corpus, batchTokens: 100, shards: 1)[0].shards[0]
        #expect(shard.labels == corpus.tokens && shard.tokens == corpus.tokens)
        #expect(try Shard(flattened: shard.flattened) == shard)
    }

    @Test func `a validation file takes the place of what would be held out`() throws {
        let path = try folder.write("one\n\ntwo\n", to: "a.txt")
        let other = try folder.write("two\n", to: "b.txt")
        let text = try PlainText(path, validation: other)
        #expect(text.training.map(\.text) == ["one", "two"])
        #expect(text.heldOut.map(\.text) == ["two"] && text.summary.alsoInValidation == 1)
    }

    @Test func `a text of nothing is refused`() throws {
        let blank = try folder.write("  \n\n", to: "a.txt")
        #expect(throws: TextError.self) { try PlainText(blank) }
        #expect(throws: TextError.self) { try PlainText(folder.url.path + "/none") }
    }
}
