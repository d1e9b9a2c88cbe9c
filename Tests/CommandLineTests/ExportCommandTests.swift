import Foundation
import TestKit
import Testing

@Suite("dtrain export")
struct ExportCommandTests {
    let program: Program
    let folder: TemporaryFolder

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
        _ = try TrainedRun(in: folder, steps: [2])
    }

    private func export(_ options: String) throws -> Program.Outcome {
        try program.run(
            ["export"] + options.split(separator: " ").map(String.init), in: folder.url)
    }

    @Test func `writes files, a card and digests that hold, and names them`() throws {
        let outcome = try export("run --to ctranslate2 --type int8 -o out/model")
        #expect(outcome.code == 0 && outcome.errors == "", "\(outcome.errors)")
        let names = outcome.output.split(separator: "\n").compactMap {
            $0.split(separator: " ").last
        }
        let written = try FileManager.default.contentsOfDirectory(
            atPath: folder.file("out/model").path)
        #expect(Set(names) == Set(written.map { "out/model/\($0)"[...] }), "\(outcome.output)")
        let sums = try program.type(
            "cd out/model && sha256sum --quiet -c SHA256SUMS", in: folder.url)
        #expect(sums.code == 0 && sums.output == "", "\(sums.errors)")
        let card = try String(contentsOf: folder.file("out/model/README.md"), encoding: .utf8)
        for phrase in [
            "license:\n", "weights as int8", "| run.tsv | 12 |", "| `d-model` | `32` |",
            "None were given",
        ] {
            #expect(card.contains(phrase), "\(phrase)")
        }
        #expect(!card.contains(folder.path))
    }

    @Test func `puts scores that were measured into the card`() throws {
        let scores = try program.run(["evaluate", "--run", "run", "--json"], in: folder.url)
        #expect(scores.code == 0, "\(scores.errors)")
        try folder.write(scores.output, to: "scores.json")
        let outcome = try export("run --to safetensors --scores scores.json -o model")
        #expect(outcome.code == 0, "\(outcome.errors)")
        let card = try String(contentsOf: folder.file("model/README.md"), encoding: .utf8)
        #expect(card.contains("`nrefs:1|") && card.contains("On 12 pairs."), "\(card)")
    }

    @Test(arguments: [
        ("run --to onnx -o model", 64, "not 'onnx'"),
        ("run --to safetensors -o run", 64, "not empty"),
        ("run --to safetensors -o run.tsv", 74, "run.tsv"),
        ("run --to safetensors --type int8 -o model", 64, "leave it out"),
        ("run --to ctranslate2 --type int4 -o model", 64, "not 'int4'"),
        ("run --to ctranslate2 --from-language en -o model", 64, "--from-language"),
        ("run --to argos --to-language fr -o model", 64, "--to argos needs --from-language"),
        ("run --to argos --from-language EN --to-language fr -o model", 64, "ISO 639"),
        ("run --to safetensors --scores run.tsv -o model", 65, "evaluate --json"),
        ("nowhere --to safetensors -o model", 64, "there is no nowhere"),
        ("run --to safetensors", 64, "--output"), ("run -o model", 64, "--to"),
    ])
    func `refuses in one sentence and writes nothing`(options: String, code: Int32, phrase: String)
        throws
    {
        let before = try folder.entries
        let outcome = try export(options)
        #expect(outcome.code == code && outcome.output == "", "\(outcome.errors)")
        #expect(
            outcome.errorLines.count == 1 && outcome.errors.contains(phrase), "\(outcome.errors)")
        #expect(try folder.entries == before)
    }
}
