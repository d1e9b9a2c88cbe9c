import Foundation
import Testing
import Text

@Suite struct CorpusTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `the embedded text holds out the pairs that the rule names`() throws {
        let corpus = try Corpus.embedded()
        #expect(corpus.summary.lines.read == 4401)
        #expect(corpus.training.count == 4166)
        // Counted with Python: FNV-1a64 of " ".join(NFC(source).lower().split()), mod 20.
        #expect(corpus.heldOut.count == 235)
        #expect(corpus.heldOut.allSatisfy { $0.source.fingerprint % 20 == 0 })
        #expect(corpus.training.allSatisfy { $0.source.fingerprint % 20 != 0 })
        #expect(corpus.training[0].source == "Formula cell must contain a formula.")
        #expect(corpus.training[0].sourcePlace == Place(file: Corpus.embeddedName, line: 1))
    }

    // Python: FNV-1a64 as above.
    @Test(arguments: [
        ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c),
        ("Hello  World ", 0x779a_65e7_023c_d2e7), ("\u{a0}hello\tworld", 0x779a_65e7_023c_d2e7),
        ("CAFÉ", 0x48e8_823a_cfa4_0d89), ("cafe\u{301}", 0x48e8_823a_cfa4_0d89),
    ]) func `fingerprints are FNV-1a of the folded text`(_ text: String, _ expected: UInt64) {
        #expect(text.fingerprint == expected)
    }

    @Test func `a byte order mark, carriage returns and a missing last newline are accepted`()
        throws
    {
        let path = try folder.write("\u{feff}one\tun\r\ntwo\tdeux\r\nthree\ttrois")
        let pairs = try PairsRead(.pairs(path)).pairs
        #expect(pairs.map(\.source) == ["one", "two", "three"])
        #expect(pairs.map(\.target) == ["un", "deux", "trois"])
        #expect(pairs.map(\.sourcePlace.line) == [1, 2, 3])
    }

    @Test func `two files pair their lines`() throws {
        let source = try folder.write("one\ntwo\n", to: "a.en")
        let target = try folder.write("un\ndeux", to: "a.fr")
        let pairs = try PairsRead(.files(source: source, target: target)).pairs
        #expect(pairs.map(\.target) == ["un", "deux"])
        #expect(pairs[1].sourcePlace == Place(file: source, line: 2))
        #expect(pairs[1].targetPlace == Place(file: target, line: 2))
    }

    @Test func `two files of different length are refused`() throws {
        let source = try folder.write("one\ntwo\n", to: "a.en")
        let target = try folder.write("un\ndeux\ntrois\n", to: "a.fr")
        #expect(
            throws: TextError.lineCounts(
                source: source, sourceLines: 2, target: target, targetLines: 3)
        ) { try Corpus(source: source, target: target) }
    }

    @Test func `empty sides are dropped and counted, repeated pairs are kept and counted`() throws {
        let path = try folder.write("one\tun\n \tdeux\nthree\t\u{a0}\n\t\none\tun\none\tune\n")
        let summary = try Corpus(pairs: path).summary
        #expect(summary.lines.read == 6)
        #expect(summary.lines.emptySource == 2)
        #expect(summary.lines.emptyTarget == 1)
        #expect(summary.lines.dropped == 3)
        #expect(summary.lines.firstDropped == Place(file: path, line: 2))
        #expect(summary.training == 3)
        #expect(summary.repeated == 1)
    }

    @Test func `a validation file takes the place of the pairs held out`() throws {
        let path = try folder.write((0..<200).map { "s\($0)\tt\($0)\n" }.joined())
        let validation = try folder.write("s3\tt3\nnew\tneuf\n", to: "valid.tsv")
        let divided = try Corpus(.pairs(path))
        #expect(divided.training.count + divided.heldOut.count == 200)
        #expect((1..<40).contains(divided.heldOut.count))
        let corpus = try Corpus(.pairs(path), validation: validation)
        #expect(corpus.training.count == 200)
        #expect(corpus.heldOut.map(\.source) == ["s3", "new"])
        #expect(corpus.summary.alsoInValidation == 1)
        #expect(corpus.summary.validation?.read == 2)
    }

    @Test func `a pipe can be read`() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("one\tun\n".utf8))
        try pipe.fileHandleForWriting.close()
        let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        #expect(try PairsRead(.pairs(path)).pairs.count == 1)
    }
}
