import Checkpoint
import Foundation
import Testing

@Suite struct CheckpointFolderTests {
    @Test("a checkpoint is read back as it was written, under its own name only")
    func roundTrip() throws {
        let folder = TemporaryFolder()
        let sample = SampleCheckpoint(step: 30)
        let committed = try sample.write(in: folder("checkpoints"))
        #expect(folder.names("checkpoints") == ["step-000030"])
        try sample.expect(committed)
        try sample.expect(try CheckpointFolder(folder("checkpoints/step-000030")))
        let model = try committed.model()
        #expect(model.tensors.map(\.name) == SampleCheckpoint.tensors.map(\.name))
        #expect(model.metadata == ["heads": "2"])
        #expect(
            try committed.optimizer().tensors.map(\.name) == [
                "exp_avg.embedding.weight", "exp_avg.final.bias",
                "exp_avg_sq.embedding.weight", "exp_avg_sq.final.bias",
            ])
        let needed = CheckpointWriter.bytesNeeded(
            tensors: SampleCheckpoint.tensors, tokenizer: sample.tokenizer)
        #expect(needed > committed.manifest.files.values.reduce(0) { $0 + $1.bytes })
    }

    @Test("a run's folder that has gone is not made anew by a checkpoint")
    func lostFolder() throws {
        let folder = TemporaryFolder()
        #expect(
            throws: CheckpointError.io(
                path: folder("run/checkpoints"), operation: .makeFolder, code: ENOENT)
        ) { try SampleCheckpoint(step: 1).write(in: folder("run/checkpoints")) }
        #expect(folder.names("") == [])
    }

    @Test("a checkpoint of another layout is refused by the first tensor that differs")
    func otherLayout() throws {
        let folder = TemporaryFolder()
        let checkpoint = try SampleCheckpoint(step: 1).write(in: folder.path)
        let path = checkpoint.path + "/model.safetensors"
        var tensors = SampleCheckpoint.tensors
        func refused(_ tensor: String) {
            #expect(throws: CheckpointError.otherLayout(path: path, tensor: tensor)) {
                try checkpoint.read(tensors: tensors) { _, _, _ in Issue.record("read") }
            }
        }
        tensors[1] = TensorShape(name: "final.bias", shape: [6])
        refused("final.bias")
        tensors[1] = TensorShape(name: "other", shape: [5])
        refused("other")
        tensors.removeLast()
        refused("final.bias")
        tensors = SampleCheckpoint.tensors + [TensorShape(name: "more", shape: [1])]
        refused("more")
    }

    @Test("every flipped bit and every cut is found, and the checkpoint before is used")
    func damage() throws {
        let folder = TemporaryFolder()
        let shelf = CheckpointShelf(folder.path)
        let old = SampleCheckpoint(step: 10)
        try old.write(in: folder.path)
        try SampleCheckpoint(step: 20).write(in: folder.path)
        for name in folder.names("step-000020") {
            let name = "step-000020/" + name
            let whole = folder.read(name)
            for index in stride(from: 0, to: whole.count, by: name.hasSuffix("t.json") ? 1 : 4) {
                var damaged = whole
                damaged[index] ^= 1 << (index * 3 / 4 % 8)
                _ = folder.write(name, damaged)
                do throws(CheckpointError) {
                    _ = try CheckpointFolder(folder("step-000020"))
                    Issue.record("byte \(index) of \(name) went unnoticed")
                } catch {
                    guard case .damaged(let path, _) = error else { throw error }
                    #expect(path.hasPrefix(folder("step-000020/")))
                }
            }
            for length in [0, 1, whole.count / 2, whole.count - 1] {
                _ = folder.write(name, Array(whole[..<length]))
                #expect(try shelf.newestWhole().checkpoint?.step == 10)
            }
            try FileManager.default.removeItem(atPath: folder(name))
            let found = try shelf.newestWhole()
            #expect(
                found.rejected.map(\.reason) == [.damaged(path: folder(name), damage: .missing)])
            try old.expect(try #require(found.checkpoint))
            _ = folder.write(name, whole)
        }
        #expect(try shelf.newestWhole().checkpoint?.step == 20)
    }

    @Test("a look at sizes does not read the values, a verification does")
    func lazyVerification() throws {
        let folder = TemporaryFolder()
        let path = try SampleCheckpoint(step: 1).write(in: folder.path).path
        var bytes = folder.read("step-000001/optimizer.safetensors")
        bytes[bytes.count - 1] ^= 1
        let file = folder.write("step-000001/optimizer.safetensors", bytes)
        #expect(try CheckpointFolder(path, verification: .sizes).step == 1)
        #expect(throws: CheckpointError.damaged(path: file, damage: .hash)) {
            try CheckpointFolder(path)
        }
    }

    @Test("a checkpoint of a later format says which")
    func laterFormat() throws {
        let folder = TemporaryFolder()
        let path = try SampleCheckpoint(step: 2).write(in: folder.path).path
        _ = folder.write(
            "step-000002/manifest.json",
            Array(#"{"format":2,"software":"dtrain 9.0.0"}"#.utf8))
        let newer = CheckpointError.newer(
            path: path, format: 2, known: 1, writer: "dtrain 9.0.0")
        #expect(throws: newer) { try CheckpointFolder(path) }
        // It is not passed over: its steps would be done again.
        try SampleCheckpoint(step: 1).write(in: folder.path)
        #expect(throws: newer) { try CheckpointShelf(folder.path).newestWhole() }
    }

    @Test("a folder without checkpoints has none, and no folder neither")
    func none() throws {
        let folder = TemporaryFolder()
        for path in [folder.path, folder("nothing")] {
            let found = try CheckpointShelf(path).newestWhole()
            #expect(found.checkpoint == nil && found.rejected.isEmpty)
        }
        #expect(try freeBytes(at: folder.path) > 0)
        #expect(throws: CheckpointError.io(path: "/nothing", operation: .freeSpace, code: 2)) {
            try freeBytes(at: "/nothing")
        }
    }
}
