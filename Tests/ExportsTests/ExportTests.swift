import Checkpoint
import Exports
import Foundation
import Inference
import Settings
import TestKit
import Testing

/// Folders that appear as a whole, with equal bytes whenever they are written.
@Suite("An export")
struct ExportTests {
    @Test func `has equal bytes each time, and digests that hold`() throws {
        let exported = try Exported()
        for (format, name) in [
            (SafetensorsFormat() as any ExportFormat, "st"), (CTranslate2Format(.int8), "ct2"),
            (try argos(), "argos"),
        ] {
            let files = try exported.write(format, to: "\(name)-1")
            try exported.write(format, to: "deep/\(name)-2")
            var digests = ""
            for file in files.map(\.name) {
                let bytes = try exported.bytes("\(name)-1/\(file)")
                #expect(try bytes == exported.bytes("deep/\(name)-2/\(file)"), "\(file)")
                #expect(files.contains { $0.name == file && $0.bytes == bytes.count })
                if file != Export.sums { digests += "\(SHA256.digest(bytes))  \(file)\n" }
            }
            #expect(try exported.bytes("\(name)-1/\(Export.sums)") == Array(digests.utf8))
            #expect(try exported.folder.file("\(name)-1").names == files.map(\.name).sorted())
        }
    }

    @Test func `to safetensors has the checkpoint's tensors byte for byte`() throws {
        let exported = try Exported([(.residual, "false"), (.normalisation, "batch")])
        try exported.write(SafetensorsFormat(), to: "model")
        let own = try Data(contentsOf: URL(fileURLWithPath: exported.model.checkpoint.model().path))
        #expect(try exported.bytes("model/model.safetensors") == [UInt8](own))
        let config = try #require(
            JSONSerialization.jsonObject(with: Data(exported.bytes("model/config.json")))
                as? [String: Any])
        #expect(config["digest"] as? String == exported.model.checkpoint.digest)
        #expect((config["architecture"] as? [String: Any])?["residual"] as? Bool == false)
        #expect(config["begin_id"] as? Int == 1 && config["end_id"] as? Int == 2)
    }

    @Test func `takes an empty folder's place, and no other's`() throws {
        let exported = try Exported(steps: 1)
        let folder = exported.folder
        try FileManager.default.createDirectory(
            at: folder.file("empty"), withIntermediateDirectories: false)
        try exported.write(SafetensorsFormat(), to: "empty")
        #expect(try folder.file("empty").names.contains("model.safetensors"))
        let before = try folder.entries
        #expect(throws: CheckpointError.folderTaken(path: folder.file("empty").path)) {
            try exported.write(SafetensorsFormat(), to: "empty")
        }
        try folder.write("mine", to: "file")
        #expect(throws: CheckpointError.self) {
            try exported.write(SafetensorsFormat(), to: "file")
        }
        #expect(try exported.bytes("file") == Array("mine".utf8))
        #expect(try folder.entries == (before + ["file"]).sorted())
    }

    private struct Stop: Error {}

    private struct Stopping: ExportFormat {
        static let name = "stopping"
        func files(of model: ExportedModel, card: String) throws -> [ExportedFile] {
            [ExportedFile("a", text: card), ExportedFile("b") { _ in throw Stop() }]
        }
    }

    @Test func `that is broken off leaves nothing`() throws {
        let exported = try Exported(steps: 1)
        let before = try exported.folder.entries
        #expect(throws: Stop.self) { try exported.write(Stopping(), to: "model") }
        #expect(try exported.folder.entries == before)
    }

    @Test func `states scores of this model alone`() throws {
        let exported = try Exported(steps: 1)
        let digest = exported.model.checkpoint.digest
        let json = """
            {"bleu":41.5,"digest":"\(digest)","loss":1.25,"pairs":12,"perplexity":3.49,
            "scores":[{"name":"BLEU","score":41.5,"signature":"nrefs:1|tok:13a"}]}
            """
        let good = try exported.folder.write(json, to: "good.json")
        let scores = try SavedScores(good, of: exported.model)
        #expect(scores.scores?.first?.signature == "nrefs:1|tok:13a" && scores.pairs == 12)
        let other = try exported.folder.write(
            json.replacing(digest, with: String(repeating: "0", count: 64)), to: "other.json")
        #expect(throws: ExportError.self) { try SavedScores(other, of: exported.model) }
        let bad = try exported.folder.write("{}", to: "bad.json")
        #expect(throws: ExportError.noScores(path: bad)) {
            try SavedScores(bad, of: exported.model)
        }
        let card = ModelCard(exported.model, format: "safetensors", scores: scores)
        #expect(card.digest == digest && card.step == 1)
        #expect(card.sources.map(\.files) == [["run.tsv"], ["run.tsv"]])
        #expect(card.sources.allSatisfy { $0.samples == 12 && $0.fingerprint.count == 64 })
        #expect(card.settings.contains { $0.name == "d-model" && $0.value == "32" })
        // No path of this host is given away.
        #expect(!card.settings.contains { $0.value.contains("/") })
    }

    private func argos() throws -> ArgosFormat {
        ArgosFormat(
            .float32, from: try #require(.init("en:English")), to: try #require(.init("fr")))
    }

    @Test func `to argos is a zip of a CTranslate2 model`() throws {
        let exported = try Exported()
        try exported.write(try argos(), to: "package")
        try exported.write(CTranslate2Format(.float32), to: "model")
        let name = "translate-en_fr-1_0"
        let files = try StoredZip(exported.bytes("package/\(name).argosmodel")).files
        #expect(
            Set(files.keys)
                == Set(
                    [
                        "README.md", "metadata.json", "model/config.json", "model/model.bin",
                        "model/shared_vocabulary.json", "sentencepiece.model",
                    ].map { "\(name)/\($0)" }))
        for file in ["model.bin", "config.json", "shared_vocabulary.json"] {
            #expect(
                try files["\(name)/model/\(file)"] == exported.bytes("model/\(file)"), "\(file)")
        }
        #expect(files["\(name)/sentencepiece.model"] == exported.model.tokenizer.model)
        let metadata = try #require(
            JSONSerialization.jsonObject(with: Data(files["\(name)/metadata.json"] ?? []))
                as? [String: String])
        #expect(
            metadata == [
                "package_version": "1.0", "argos_version": "1.0", "from_code": "en",
                "from_name": "English", "to_code": "fr", "to_name": "fr",
            ])
    }

    @Test(arguments: ["", "e", "EN", "en:", "../x", "en/fr", "e n", "en:a\nb", "abcdefghi"])
    func `to argos takes codes of languages`(text: String) {
        #expect(ArgosFormat.Language(text) == nil)
    }
}

/// The files of a zip that stores them as they are, read from its directory at the end.
struct StoredZip {
    private(set) var files: [String: [UInt8]] = [:]

    init(_ bytes: [UInt8]) throws {
        func number(_ place: Int, _ size: Int) -> Int {
            bytes[place..<place + size].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        let end = bytes.count - 22
        try #require(end > 0 && number(end, 4) == 0x0605_4B50)
        var place = number(end + 16, 4)
        #expect(place + number(end + 12, 4) == end)
        for _ in 0..<number(end + 10, 2) {
            try #require(number(place, 4) == 0x0201_4B50 && number(place + 10, 2) == 0)
            let (size, count, start) = (
                number(place + 24, 4), number(place + 28, 2), number(place + 42, 4)
            )
            let name = bytes[place + 46..<place + 46 + count]
            try #require(number(start, 4) == 0x0403_4B50)
            // The file's own header says the same as the directory.
            #expect(bytes[start + 4..<start + 28] == bytes[place + 6..<place + 30])
            #expect(bytes[start + 30..<start + 30 + count] == name)
            let content = Array(bytes[start + 30 + count..<start + 30 + count + size])
            #expect(Self.sum(content) == number(place + 16, 4))
            files[String(decoding: name, as: UTF8.self)] = content
            place += 46 + count
        }
        #expect(place == end)
    }

    /// CRC-32 bit by bit.
    private static func sum(_ bytes: [UInt8]) -> Int {
        var state = UInt32.max
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state & 1 == 0 ? state >> 1 : state >> 1 ^ 0xEDB8_8320 }
        }
        return Int(~state)
    }
}
