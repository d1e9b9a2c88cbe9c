import Foundation
import FuzzKit
import Testing
import Text

/// Whatever stands in a text, it is a corpus or an error that names the place.
@Suite struct FuzzTests {
    private static let fragments =
        [
            "\t", "\n", "\r\n", "\r", "\0", "\u{FEFF}", "\u{85}", "\u{2028}", "  ", "é", "e\u{301}",
            "\u{200D}", "👩‍👩‍👧", "ﬁ", "\u{D7FF}", "\t\t", "\n\n\n", "İ",
        ].map { Array($0.utf8) } + [[0xC3], [0xED, 0xA0, 0x80], [0xF5], [0xFF, 0xFE]]

    @Test("pairs, two files, running text")
    func corpora() throws {
        var fuzzer = Fuzzer("corpora", fragments: Self.fragments)
        let folder = try TemporaryFolder()
        let whole = Array(
            "one two\tun deux\nThe file is open.\tLe fichier est ouvert.\n\nthree\ttrois\n".utf8)
        var read = 0
        for round in 0..<Fuzzer.rounds {
            let bytes = fuzzer.mutated(whole)
            if let file = try? TextFile(name: "mutant", bytes: bytes) { _ = try? file.lines() }
            guard round % 4 == 0 else { continue }
            let path = try folder.write(bytes)
            if let corpus = try? Corpus(pairs: path) {
                read += 1
                #expect(corpus.training.count + corpus.heldOut.count <= bytes.count)
            }
            _ = try? Corpus(source: path, target: path)
            _ = try? PassagesRead(path)
        }
        #expect(read > 0)
    }

    @Test("a shard's words from the wire")
    func shards() throws {
        var fuzzer = Fuzzer("shards")
        let whole = Shard(
            samples: [3, 5], sources: [[4, 5, 2], [6, 2]], targets: [[7, 8], [9]]
        ).flattened
        var read = 0
        for _ in 0..<Fuzzer.rounds {
            let bytes = whole.withUnsafeBytes { Array($0) }
            let mutant = fuzzer.mutated(bytes)
            var words = [Int32](repeating: 0, count: mutant.count / 4)
            words.withUnsafeMutableBytes { $0.copyBytes(from: mutant.prefix($0.count)) }
            guard let shard = try? Shard(flattened: words) else { continue }
            read += 1
            #expect(shard.flattened == words)
        }
        #expect(read > 0)
    }
}
