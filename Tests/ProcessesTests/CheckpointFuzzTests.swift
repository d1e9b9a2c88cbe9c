import Checkpoint
import Foundation
import FuzzKit
import Inference
import Preparation
import TestKit
import Testing

/// Whatever a checkpoint says of its model, under a manifest that vouches for it, it is one that can
/// be used, or an error.
@Suite struct CheckpointFuzzTests {
    private static let fragments = [
        "{", "}", "[", "]", ",", ":", "\"", "-1", "0", "1e999", "null", "9223372036854775807",
        "1048576", "16384", "3", "0.5", "\"encoderDecoder\"", "\"languageModel\"",
        "\"rotary\"", "\"none\"", "\"dModel\":", "\"vocabulary\":", "\"positions\":",
        "\"decoderLayers\":", "\"step\":", "\"shards\":\"1\"", "\\u0000",
    ].map { Array($0.utf8) }

    @Test("what checkpoints say of their models")
    func states() throws {
        var fuzzer = Fuzzer("states of checkpoints", fragments: Self.fragments)
        let folder = try TemporaryFolder(inMemory: true)
        let run = try TrainedRun(in: folder, steps: [1])
        let path = run.checkpoint(1)
        func bytes(_ name: String) throws -> [UInt8] {
            [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
        }
        func write(_ bytes: [UInt8], _ name: String) {
            _ = FileManager.default.createFile(
                atPath: path + "/" + name, contents: Data(bytes))
        }
        let whole = try bytes("state.json")
        let manifest = try CheckpointManifest(bytes("manifest.json"), path: "")
        var read = 0
        var used = 0
        for round in 0..<Fuzzer.rounds {
            let mutant = fuzzer.mutated(whole)
            guard
                let state = try? JSONDecoder().decode(
                    CheckpointState.self, from: Data(mutant)), CheckpointFacts(state) != nil
            else { continue }
            read += 1
            guard round % 20 == 0 else { continue }
            write(mutant, "state.json")
            var files = manifest.files
            files["state.json"] = .init(bytes: mutant.count, sha256: SHA256.digest(mutant))
            let vouching = CheckpointManifest(
                step: manifest.step, digest: manifest.digest, files: files)
            write([UInt8](try JSONEncoder().encode(vouching)), "manifest.json")
            guard let model = try? TrainedModel(path) else { continue }
            used += 1
            _ = try Translator(model, beam: 1, threads: 1).translate(["the cat sleeps"])
            _ = try? model.heldOutPairs()
        }
        #expect(read > Fuzzer.rounds / 100 && used > 0)
    }
}
