import Checkpoint
import Foundation
import TestKit
import Testing
import Wire

@Suite("What differs between two runs")
struct DiffTests {
    let program: Program
    let folder: TemporaryFolder
    let run: TrainedRun

    private static let trained = Result {
        let folder = try TemporaryFolder()
        return (folder: folder, run: try TrainedRun(in: folder, steps: [1, 2]))
    }

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
        run = try Self.trained.get().run.copied(to: folder)
    }

    func diff(_ line: String) throws -> Program.Outcome {
        try program.run(["diff"] + line.split(separator: " ").map(String.init), in: folder.url)
    }

    func expectDifference(
        _ outcome: Program.Outcome, _ words: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(outcome.code == 1 && outcome.errorLines.count == 1, sourceLocation: sourceLocation)
        for word in words {
            #expect(
                outcome.output.contains(word) || outcome.errors.contains(word),
                "\(word): \(outcome.output)\(outcome.errors)", sourceLocation: sourceLocation)
        }
    }

    @Test func `a run is equal to itself and to its copy`() throws {
        try FileManager.default.copyItem(
            at: folder.file("run"), to: folder.file("copy"))
        let outcome = try diff("run copy")
        #expect(outcome.code == 0 && outcome.errors == "", "\(outcome.errors)")
        #expect(outcome.output.contains("agree in every bit"), "\(outcome.output)")
        let json = try #require(
            JSONSerialization.jsonObject(with: Data(diff("run copy --json").output.utf8))
                as? [String: Any])
        #expect(json["equal"] as? Bool == true && json["same_tokenizer"] as? Bool == true)
    }

    @Test func `steps of one run differ in their tensors, and the table says by how much`() throws {
        let outcome = try diff("run/checkpoints/step-000001 run")
        let count = run.prepared.model.layout.slots.count
        expectDifference(
            outcome, ["step 1 and 2", "TENSOR", "of \(count) ", "‖a-b‖/‖a‖", "the most in "])
        let json = try #require(
            JSONSerialization.jsonObject(
                with: Data(diff("run/checkpoints/step-000001 run --json").output.utf8))
                as? [String: Any])
        let parameters = try #require(json["parameters"] as? [String: Any])
        let tensors = try #require(parameters["differing"] as? [[String: Any]])
        #expect(parameters["compared"] as? Int == count && !tensors.isEmpty)
        for tensor in tensors {
            // One step of Adam moves a number by the learning rate at most.
            #expect((tensor["largest"] as? Double ?? 1) < 0.02, "\(tensor)")
            #expect((tensor["differing"] as? Int ?? 0) <= (tensor["count"] as? Int ?? 0))
        }
    }

    @Test func `settings are told apart by whether numbers depend on them`() throws {
        _ = try TrainedRun(
            in: folder, name: "other", steps: [2], settings: [(.seed, "9"), (.workers, "2")])
        expectDifference(
            try diff("run other"),
            [
                "setting     --seed: 1 | 9\n", "--workers: 1 | 2  (changes no number)",
                "settings --seed",
            ])
    }

    @Test func `other architectures are said in a sentence`() throws {
        _ = try TrainedRun(
            in: folder, name: "wide", steps: [2], settings: [(.dModel, "48"), (.layers, "2")])
        expectDifference(
            try diff("run wide"),
            ["--d-model: 32 | 48", "of another architecture", "only in b", "48 in b"])
    }

    @Test func `two ledgers part at the first step that differs, whoever computed it`() throws {
        try FileManager.default.copyItem(at: folder.file("run"), to: folder.file("copy"))
        func write(_ name: String, _ steps: [(loss: Double, state: String)], epoch: UInt32) throws {
            let ledger = try Ledger(folder.file("\(name)/ledger.jsonl").path)
            for (index, step) in steps.enumerated() {
                try ledger.append(
                    LedgerEntry(
                        step: index + 1, generation: Generation(epoch: epoch, counter: 1),
                        samples: [[index]], total: "t", state: step.state, loss: step.loss,
                        labels: 3, verdict: .committed),
                    now: .now)
            }
            try ledger.synchronize()
        }
        try write("run", [(1, "a"), (2, "b"), (3, "c"), (4, "d")], epoch: 1)
        try write("copy", [(1, "a"), (2, "b"), (3, "x")], epoch: 2)
        expectDifference(
            try diff("run copy"),
            ["part at step 3: the state before it, c | x; steps 1..2 agree", "ledgers from step 3"])
        // A checkpoint in a run's folder is of that run.
        expectDifference(
            try diff("run/checkpoints/step-000002 copy/checkpoints/step-000002"), ["step 3"])
    }

    @Test func `what cannot be compared is refused as elsewhere`() throws {
        expectRefusal(try diff("run nowhere"), code: 64, words: ["there is no nowhere"])
        try folder.write("x", to: "file")
        expectRefusal(try diff("file run"), code: 64, words: ["file is a file"])
        let path = run.checkpoint(1) + "/model.safetensors"
        try Data([1]).write(to: URL(fileURLWithPath: path))
        expectRefusal(
            try diff("run/checkpoints/step-000001 run"), code: 65, words: ["model.safetensors"])
    }
}
