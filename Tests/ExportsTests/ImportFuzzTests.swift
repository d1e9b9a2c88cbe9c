import Checkpoint
import Exports
import Foundation
import FuzzKit
import Inference
import Settings
import TestKit
import Testing
import Text
import Words

/// Whatever stands in the files of a foreign model, it is a model or one sentence.
@Suite struct ImportFuzzTests {
    private static let names = [
        "config.json", "vocab.json", "source.spm", "model.safetensors", "tokenizer_config.json",
    ]

    private static let fragments: [[UInt8]] =
        [
            "null", "true", "-1", "1e999", "0.5", "99999999999999999999", "[]", "{}", "\"\"",
            "\\ud800", "\\u0000", "\\u00e9", "e\u{301}", "é", "<unk>", "</s>", "<pad>", ":", ",",
            "\"gelu\"", "65536", "16384", "BF16", "F64", "[", "}",
        ].map { Array($0.utf8) } + [[0], [0xFF], [0xC3], [0x18, 2], [0x0A, 0]]

    @Test("foreign models")
    func imports() throws {
        var fuzzer = Fuzzer("imports", fragments: Self.fragments)
        let exported = try Exported(
            [
                (.compatibleWith, "marian"), (.outputBias, "true"), (.dModel, "4"), (.dFF, "4"),
                (.heads, "1"),
            ],
            steps: 1)
        let folder = try TemporaryFolder(inMemory: true)
        let path = folder.file("model").path
        try Export.write(exported.model, as: TransformersFormat(), card: "", to: path)
        let wholes = try Self.names.map { name in
            [UInt8](try Data(contentsOf: folder.file("model/" + name)))
        }
        _ = try MarianImport(path)
        var read = 0
        for round in 0..<Fuzzer.rounds {
            let place = round % Self.names.count
            let file = folder.file("model/" + Self.names[place])
            try Data(fuzzer.mutated(wholes[place])).write(to: file)
            do {
                let model = try MarianImport(path)
                read += 1
                let ids = try model.tokenizer.encode("the cat >>x<< sleeps 字")
                _ = try model.tokenizer.encode(">>fra<< le chat", as: .target)
                _ = try model.tokenizer.decode(ids)
                #expect(ids.allSatisfy { $0 >= 0 && $0 < model.tokenizer.vocabulary })
            } catch {
                let sentence = Failure(thrown: error).sentence
                let isPlain = !sentence.contains("\n") && !sentence.hasPrefix("unexpected")
                #expect(isPlain && sentence.count < 600, "\(sentence)")
            }
            try Data(wholes[place]).write(to: file)
        }
        #expect(read > 0)
    }

    @Test("kept tokenizers of Marian")
    func kept() throws {
        var fuzzer = Fuzzer("kept", fragments: Self.fragments)
        let model = try Tokenizer.train(
            on: ["the ABLE file is open", "le fichier"], vocabulary: 24)
        let pieces = try model.allPieces()
        let vocabulary =
            "{" + pieces.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ",") + "}"
        let whole = MarianFiles(
            source: model.model, target: model.model, vocabulary: Array(vocabulary.utf8),
            size: pieces.count, pad: 0, start: 1, end: 2
        ).bytes
        var read = 0
        for _ in 0..<Fuzzer.rounds {
            let bytes = fuzzer.mutated(whole)
            guard let found = try? Tokenizer(model: bytes, file: "") else { continue }
            read += 1
            guard let files = found.marian else { continue }
            #expect(files.bytes == bytes)
            _ = try? found.decode(found.encode("the file", as: .target))
        }
        #expect(read > 0)
    }
}
