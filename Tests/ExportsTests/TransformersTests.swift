import Checkpoint
import Exports
import Foundation
import Inference
import Model
import Settings
import TestKit
import Testing
import Text

/// Exports to transformers against logits that it computed of them: Tests/Golden/make_transformers.py.
@Suite("An export to transformers")
struct TransformersTests {
    /// What transformers computed of an export whose tensors have a digest.
    struct Golden: Codable {
        let name, sha256: String
        let source: [Int32]?
        let decoder: [Int32]
        let logits: [Float]
    }

    static let file = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Golden/transformers.json")

    private static let text: (Setting, String) = (
        .text, MarianSample.folder + "/../../../Sources/CEmbeddedText/botchan.txt"
    )
    private static let languageModel: [(Setting, String)] = [
        (.architecture, "lm"), text, (.layers, "2"), (.vocabulary, "150"), (.batchTokens, "200"),
    ]

    static let models: [(name: String, choices: [(Setting, String)])] = [
        ("marian", [(.compatibleWith, "marian"), (.layers, "2")]),
        (
            "marian-bias-untied",
            [
                (.compatibleWith, "marian"), (.outputBias, "true"), (.tying, "none"),
                (.activation, "gelu"), (.encoderLayers, "2"),
            ]
        ),
        ("gpt2", languageModel + [(.activation, "gelu"), (.positionEncoding, "learned")]),
        ("gpt2-sinusoidal-shared", languageModel + [(.shareQueryKey, "true"), (.tying, "none")]),
        (
            "llama",
            languageModel + [
                (.normalisation, "rms"), (.positionEncoding, "rotary"), (.activation, "swiglu"),
            ]
        ),
    ]

    /// DTRAIN_WRITE_EXPORTS names a folder for make_transformers.py.
    @Test(arguments: models.map(\.name))
    func `has the logits that transformers computes`(name: String) throws {
        let choices = try #require(Self.models.first { $0.name == name }).choices
        let exported = try Exported(choices)
        try exported.write(TransformersFormat(), to: "model")
        if let folder = ProcessInfo.processInfo.environment["DTRAIN_WRITE_EXPORTS"] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: exported.folder.file("model").path, toPath: "\(folder)/\(name)")
            return
        }
        let all = try JSONDecoder().decode([Golden].self, from: Data(contentsOf: Self.file))
        let golden = try #require(all.first { $0.name == name })
        #expect(try SHA256.digest(exported.bytes("model/model.safetensors")) == golden.sha256)
        let input = ModelInput(
            source: Sequences(golden.source.map { [$0] } ?? []),
            decoder: Sequences([golden.decoder]), labels: golden.decoder)
        let model = exported.model
        let found = Lane(model.transformer).logits(of: input, parameters: model.parameters)
            .flatMap { $0 }
        #expect(found.count == golden.logits.count)
        let worst = zip(found, golden.logits).map { abs($0 - $1) }.max() ?? 1
        #expect(worst < 1e-4, "\(worst)")
    }

    @Test func `of what transformers lacks is refused by the setting`() throws {
        let refused: [([(Setting, String)], Setting)] = [
            ([], .norm), ([(.norm, "post")], .finalNorm),
            (Self.languageModel + [(.norm, "post")], .norm),
            (Self.languageModel + [(.positionEncoding, "relative")], .positionEncoding),
            (Self.languageModel + [(.positionEncoding, "rotary")], .normalisation),
            (Self.languageModel + [(.outputBias, "true")], .outputBias),
            (Self.languageModel + [(.residual, "false")], .residual),
            (Self.languageModel + [(.activation, "swiglu")], .activation),
        ]
        for (choices, setting) in refused {
            let exported = try Exported(choices, steps: 1)
            let error = #expect(throws: ExportError.self) {
                try exported.write(TransformersFormat(), to: "model")
            }
            guard case .lacks(_, setting, _)? = error else {
                Issue.record("\(choices): \(String(describing: error))")
                continue
            }
            #expect(!FileManager.default.fileExists(atPath: exported.folder.file("model").path))
        }
    }

    @Test func `is taken again, and is the model that it was`() throws {
        let exported = try Exported([(.compatibleWith, "marian"), (.outputBias, "true")])
        try exported.write(TransformersFormat(), to: "model")
        let read = try MarianImport(exported.folder.file("model").path)
        #expect(read.model.layout == exported.model.transformer.layout)
        #expect(read.parameters.floats() == exported.model.parameters.floats())
        for line in ["the cat sleeps", "a dog eats quite well 字"] {
            #expect(try read.tokenizer.encode(line) == exported.model.tokenizer.encode(line))
        }
    }
}
