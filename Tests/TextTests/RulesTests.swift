import Foundation
import FuzzKit
import Testing
import Text

/// What the rules from text to samples say, and that the first ones stay as they were.
@Suite("Rules from text to samples")
struct RulesTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Characters that nobody sees at the end of a sentence.
    static let unseen: [String] = [
        "\u{200B}", "\u{FEFF}", "\u{2060}", "\u{200C}", "\u{200D}", "\u{200E}", "\u{200F}",
        "\u{AD}", "\u{61C}", "\u{180E}", "\u{202A}", "\u{202E}", "\u{2066}", "\u{2069}",
        "\u{200B} \u{FEFF}", " \u{200B}\t", "\u{A0}\u{FEFF}\u{3000}",
    ]

    @Test(arguments: unseen)
    func `what nobody sees at the ends of a sentence makes no other sentence`(_ mark: String) {
        for text in ["\(mark)The cat.", "The cat.\(mark)", "\(mark)The cat.\(mark)"] {
            #expect(text.normalised(.second) == "The cat.")
            #expect(text.trimmed.fingerprint == "The cat.".fingerprint)
            #expect(!text.isBlank(.second))
        }
        #expect(mark.isBlank(.second))
        // Between letters it stands for something.
        let inner = "a\(mark)b".normalised(.second)
        #expect(inner == "a\(mark)b".normalised)
    }

    @Test(arguments: [
        ("  The  cat ", "The cat"), ("\u{200B}The cat", "\u{200B}The cat"),
        ("e\u{301}", "é"), ("a\u{2581}b", "a b"), ("\u{1C}a\u{85}b\u{1F}", "a b"),
        ("\u{FEFF}", "\u{FEFF}"), (" \u{2581} ", ""), ("한\u{1100}\u{1161}", "한가"),
        ("\u{2126}", "\u{3A9}"), ("日本\u{3000}語", "日本 語"), ("か\u{3099}", "が"),
    ])
    func `the first rules see white space and composed characters alone`(
        _ text: String, _ expected: String
    ) {
        #expect(Array(text.normalised(.first).unicodeScalars) == Array(expected.unicodeScalars))
        #expect(text.isBlank(.first) == expected.isEmpty)
    }

    @Test func `short cuts give what Foundation gives`() {
        var fuzzer = Fuzzer("normalisation")
        let ranges: [ClosedRange<Int>] = [
            0...0x2FF, 0x300...0x4FF, 0x590...0x6FF, 0x900...0xFFF, 0x1100...0x11FF,
            0x1E00...0x20FF, 0x2100...0x25FF, 0x3000...0x30FF, 0x4E00...0x4E40, 0xAC00...0xAC40,
            0xF900...0xFAFF, 0xFE00...0xFFFF, 0x1F300...0x1F320, 0x2F800...0x2F820,
        ]
        for _ in 0..<20_000 {
            var text = String.UnicodeScalarView()
            let range = ranges[fuzzer.number(0...ranges.count - 1)]
            for _ in 0..<fuzzer.number(0...6) {
                let own = fuzzer.chance(70) ? range : ranges[fuzzer.number(0...1)]
                if let scalar = Unicode.Scalar(UInt32(fuzzer.number(own))) { text.append(scalar) }
                if fuzzer.chance(20) { text.append(" ") }
            }
            let line = String(text)
            let composed = line.precomposedStringWithCanonicalMapping
            let words = composed.unicodeScalars.split {
                $0.value == 0x2581 || (0x1C...0x1F).contains($0.value)
                    || $0.properties.isWhitespace
            }.map { Array($0) }
            let expected = Array(words.joined(separator: [" "]))
            #expect(Array(line.normalised.unicodeScalars) == expected, "\(line.debugDescription)")
            #expect(line.fingerprint == composed.fingerprint)
        }
    }

    /// A line of pairs, and what becomes of it under either rules; nil is a pair.
    static let lines: [(line: String, first: Fate, second: Fate)] = [
        ("one\tun", .taken, .taken), ("", .blank, .blank), ("  \u{A0}", .blank, .blank),
        ("\u{200B}", .refused, .blank), ("\u{FEFF}\u{2060}", .refused, .blank),
        ("\t", .noSource, .noSource), ("one\t", .noTarget, .noTarget),
        ("\u{200B}\t\u{200B}", .taken, .noSource), ("one\t\u{FE0F}", .taken, .noTarget),
        ("one\t\u{2581}", .noTarget, .noTarget), ("one", .refused, .refused),
    ]
    enum Fate { case taken, blank, noSource, noTarget, refused }

    @Test(arguments: lines, TextRules.allCases)
    func `a line's fate`(_ row: (line: String, first: Fate, second: Fate), rules: TextRules) throws
    {
        let path = try folder.write("zero\tnul\n\(row.line)\ntwo\tdeux\n")
        let read = try? PairsRead(.pairs(path), rules: rules)
        let fate = rules == .first ? row.first : row.second
        guard let read else {
            #expect(fate == .refused)
            return
        }
        #expect(read.lines.read == 3)
        #expect(read.pairs.count == (fate == .taken ? 3 : 2))
        #expect(read.lines.blank == (fate == .blank ? 1 : 0))
        #expect(read.lines.emptySource == (fate == .noSource ? 1 : 0))
        #expect(read.lines.emptyTarget == (fate == .noTarget ? 1 : 0))
        #expect((read.lines.firstDropped == nil) == (fate == .taken))
        #expect(fate != .refused)
    }

    @Test func `blank lines at the end are dropped in one file and in two`() throws {
        let pairs = try folder.write("one\tun\ntwo\tdeux\n\n \n")
        #expect(try PairsRead(.pairs(pairs)).lines.blank == 2)
        let source = try folder.write("one\n\ntwo\n\n\n", to: "a.en")
        let target = try folder.write("un\n\ndeux\n", to: "a.fr")
        for pair in [(source, target), (target, source)] {
            let read = try PairsRead(.files(source: pair.0, target: pair.1))
            #expect(read.lines.blank == 3 && read.pairs.count == 2)
        }
    }

    @Test func `lines of more bytes than a sentence has are left out, five of them named`() throws {
        let long = String(repeating: "word ", count: 10_000)
        let lines = (0..<20).map { $0 % 2 == 0 ? "\(long)\tx" : "a\($0)\tb\($0)" }
        let path = try folder.write(lines.joined(separator: "\n"))
        let read = try PairsRead(.pairs(path))
        #expect(read.pairs.count == 10 && read.lines.tooLong.count == 10)
        #expect(read.lines.tooLong.places.map(\.line) == [1, 3, 5, 7, 9])
        #expect(
            throws: TextError.lineTooLong(Place(file: path, line: 1), bytes: 50_002, limit: 32_768)
        ) { try PairsRead(.pairs(path), tooLong: .stop) }
        let source = try folder.write("a\n\(long)\nb\n", to: "a.en")
        let target = try folder.write("x\ny\nz\n", to: "a.fr")
        #expect(
            try PairsRead(.files(source: source, target: target)).pairs.map(\.target) == ["x", "z"])
    }

    @Test func `pairs of too many tokens are left out, and the others stay in their order`() throws
    {
        let tokenizer = TokenizerTests.tokenizer
        let place = { Place(file: "a", line: $0) }
        let long = String(repeating: "un deux ", count: 100)
        let pairs = (0..<12).map { index in
            SentencePair(
                source: index % 3 == 1 ? long : "un", target: index % 3 == 2 ? long : "deux",
                sourcePlace: place(index), targetPlace: place(100 + index))
        }
        let corpus = try TokenizedCorpus(pairs, tokenizer: tokenizer, positions: 20)
        #expect(corpus.samples.count == 4 && corpus.places.map(\.line) == [0, 3, 6, 9])
        #expect(corpus.tooLong.count == 8)
        #expect(corpus.tooLong.places.map(\.line) == [1, 102, 4, 105, 7])
        #expect(corpus.kept(of: pairs).map(\.sourcePlace.line) == [0, 3, 6, 9])
        let all = try TokenizedCorpus(Array(pairs.prefix(1)), tokenizer: tokenizer, positions: 20)
        #expect(all.kept(of: [7]) == [7])
    }

    @Test func `a long line of running text becomes passages that can be held out`() throws {
        let words = (0..<30_000).map { "w\($0)" }
        let path = try folder.write(words.joined(separator: " ") + "\n\nend\n")
        let read = try PassagesRead(path)
        #expect(read.passages.allSatisfy { $0.text.utf8.count <= 2048 })
        #expect(
            read.passages.count > 20 && read.passages.map(\.number) == Array(read.passages.indices))
        let first = read.passages.filter { $0.place.line == 1 }
        #expect(
            first.map(\.text).joined(separator: " ").split(separator: " ").map(String.init) == words
        )
        #expect(first.map(\.endsText) == first.indices.map { $0 == first.count - 1 })
        let text = try PlainText(path)
        #expect(!text.heldOut.isEmpty && !text.training.isEmpty)
        #expect(throws: TextError.self) { try PassagesRead(path, rules: .first) }
    }

    @Test func `a long line without spaces is cut between characters`() throws {
        let character = "e\u{301}\u{327}"
        let path = try folder.write(String(repeating: character, count: 3000))
        let passages = try PassagesRead(path).passages
        #expect(passages.count > 1)
        #expect(passages.map(\.text).joined() == String(repeating: character, count: 3000))
        #expect(passages.allSatisfy { $0.text.unicodeScalars.first == "e" })
    }

    @Test func `pieces of a line give the tokens that the line gives`() throws {
        let tokenizer = TokenizerTests.tokenizer
        let line = String(repeating: "Le fichier est ouvert. ", count: 300)
        let path = try folder.write(line)
        let corpus = try TokenizedCorpus(
            PassagesRead(path).passages, tokenizer: tokenizer, positions: 64)
        #expect(corpus.samples.flatMap(\.target) == (try tokenizer.encode(line)) + [Tokenizer.end])
    }
}
