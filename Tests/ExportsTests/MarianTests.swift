import Checkpoint
import Exports
import Foundation
import Inference
import Model
import Preparation
import Settings
import TestKit
import Testing
import Text

/// The model of Tests/Golden/marian, which cluster/exports/opus_shaped.py had transformers make.
enum MarianSample {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Golden/marian").path

    /// What transformers made of a pair: numbers of its own, every seventh logit, greedy text.
    struct Pair: Decodable {
        let source, target, greedy: String
        let sourceIDs, targetIDs: [Int]
        let logits: [Float]
    }

    static var pairs: [Pair] {
        get throws {
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/samples.json"))
            return try JSONDecoder().decode([Pair].self, from: data)
        }
    }

    /// A copy in which files can be changed.
    static func copied(to folder: TemporaryFolder) throws -> String {
        let path = folder.file("made").path
        try FileManager.default.copyItem(atPath: Self.folder, toPath: path)
        return path
    }
}

/// Models of transformers' own kind, taken and given back.
@Suite("A Marian model")
struct MarianTests {
    @Test func `is split, computed and said as transformers does`() throws {
        let folder = try TemporaryFolder()
        let read = try MarianImport(MarianSample.folder)
        let ids = try #require(read.tokenizer.marianIDs).map { Int32($0) }
        #expect(ids.count == 323 && read.tokenizer.vocabulary == 324)
        let lane = Lane(read.model)
        for pair in try MarianSample.pairs {
            let source = try read.tokenizer.encode(pair.source) + [Tokenizer.end]
            let target = try read.tokenizer.encode(pair.target, as: .target)
            #expect(source == pair.sourceIDs.map { ids[$0] }, "\(pair.source)")
            #expect(target + [Tokenizer.end] == pair.targetIDs.map { ids[$0] }, "\(pair.target)")
            let input = ModelInput(
                source: Sequences([source]), decoder: Sequences([[Tokenizer.begin] + target]),
                labels: target + [Tokenizer.end])
            let found = lane.logits(of: input, parameters: read.parameters).flatMap { row in
                stride(from: 0, to: ids.count, by: 7).map { row[Int(ids[$0])] }
            }
            #expect(found.count == pair.logits.count)
            let worst = zip(found, pair.logits).map { abs($0 - $1) }.max() ?? 1
            #expect(worst < 1e-4, "\(pair.source): \(worst)")
        }
        let run = folder.file("run").path
        _ = try read.save(to: run, software: "dtrain of a test")
        let translator = try Translator(TrainedModel(run), beam: 1, threads: 1)
        let pairs = try MarianSample.pairs
        let texts = try translator.translate(pairs.map(\.source)).map { try $0.get() }
        #expect(texts == pairs.map(\.greedy))
    }

    @Test func `comes back as it was, byte for byte`() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run").path
        _ = try MarianImport(MarianSample.folder).save(to: run, software: "dtrain of a test")
        let back = folder.file("back").path
        try Export.write(
            ExportedModel(TrainedModel(run)), as: TransformersFormat(), card: "", to: back)
        for name in ["source.spm", "target.spm", "vocab.json"] {
            let own = try Data(contentsOf: URL(fileURLWithPath: MarianSample.folder + "/" + name))
            #expect(try Data(contentsOf: folder.file("back/\(name)")) == own, "\(name)")
        }
        let (one, two) = (
            try SafetensorsFile(MarianSample.folder + "/model.safetensors"),
            try SafetensorsFile(back + "/model.safetensors")
        )
        #expect(Set(one.tensors.map(\.name)) == Set(two.tensors.map(\.name)))
        for tensor in one.tensors {
            #expect(try one.floats(tensor.name) == two.floats(tensor.name), "\(tensor.name)")
        }
        let settings = try JSONSerialization.jsonObject(
            with: Data(contentsOf: folder.file("back/tokenizer_config.json")))
        let names = try #require(settings as? [String: Any])
        #expect(names["pad_token"] as? String == "<pad>")
        #expect(names["eos_token"] as? String == "</s>")
        // What has come back can be taken again.
        #expect(
            try MarianImport(back).parameters.floats()
                == MarianImport(MarianSample.folder).parameters.floats())
    }

    @Test func `is trained on with its own pieces`() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run").path
        let read = try MarianImport(MarianSample.folder)
        _ = try read.save(to: run, software: "dtrain of a test")
        var given = GivenSettings()
        given.set(.from, run)
        given.set(.corpus, try folder.write(TrainedRun.text, to: "pairs.tsv"))
        let location = RunLocation(folder: folder.file("tuned").path, resume: false)
        let configuration = try location.configuration(given)
        #expect(configuration.text(.outputBias) == "true")
        #expect(configuration.text(.compatibleWith) == "marian")
        let prepared = try PreparedRun(configuration)
        #expect(prepared.tokenizer.model == read.tokenizer.model)
        #expect(prepared.model.layout == read.model.layout)
        let pair = try #require(prepared.training.samples.first)
        #expect(try prepared.tokenizer.decode(pair.target).contains("assez bien"))
    }

    /// Changes `config.json` of a copy and takes it.
    private func refusal(_ key: String, _ value: Any?) throws -> ImportError? {
        let folder = try TemporaryFolder()
        let path = try MarianSample.copied(to: folder)
        let file = URL(fileURLWithPath: path + "/config.json")
        var config = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        config[key] = value
        try JSONSerialization.data(withJSONObject: config).write(to: file)
        return #expect(throws: ImportError.self) { try MarianImport(path) }
    }

    @Test func `that dtrain cannot compute is refused by the key that says so`() throws {
        let keys: [(String, Any)] = [
            ("activation_function", "gelu_new"), ("scale_embedding", false),
            ("normalize_before", true), ("add_final_layer_norm", true), ("d_model", 15),
            ("encoder_attention_heads", 3), ("max_position_embeddings", 1), ("dropout", 1),
            ("pad_token_id", 999), ("tie_word_embeddings", false),
        ]
        for (key, value) in keys {
            guard let error = try refusal(key, value) else { continue }
            switch error {
            case .inexpressible(_, key, _): break
            // Another width of one of two is said so.
            case .apart where key == "encoder_attention_heads": break
            default: Issue.record("\(key): \(error)")
            }
        }
        guard case .apart? = try refusal("decoder_ffn_dim", 25),
            case .otherModel(_, "t5")? = try refusal("model_type", "t5"),
            case .unreadable(_, "eos_token_id")? = try refusal("eos_token_id", [0, 1]),
            case .unreadable(_, "d_model")? = try refusal("d_model", nil),
            case .apart? = try refusal("decoder_vocab_size", 322)
        else {
            Issue.record("a configuration is not refused as it should be")
            return
        }
        // Both widths are said, and the tensors have another.
        guard case .noTensor? = try refusal("decoder_layers", 2) else {
            Issue.record("a layer may be missing")
            return
        }
        guard case .marks? = try refusal("pad_token_id", 0) else {
            Issue.record("two marks may be one")
            return
        }
    }

    @Test func `without one of its files says which`() throws {
        for name in ["config.json", "source.spm", "target.spm", "vocab.json", "model.safetensors"] {
            let folder = try TemporaryFolder()
            let path = try MarianSample.copied(to: folder)
            try FileManager.default.removeItem(atPath: path + "/" + name)
            #expect(throws: ImportError.missing(path: path, file: name)) { try MarianImport(path) }
        }
        let folder = try TemporaryFolder()
        let path = try MarianSample.copied(to: folder)
        try FileManager.default.moveItem(
            atPath: path + "/model.safetensors", toPath: path + "/pytorch_model.bin")
        #expect(throws: ImportError.pickled(path: path)) { try MarianImport(path) }
        #expect(throws: ImportError.noFolder(path: path + "/config.json")) {
            try MarianImport(path + "/config.json")
        }
    }
}
