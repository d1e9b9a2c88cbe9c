import Checkpoint
import Foundation
import TestKit
import Testing

extension ClusterTests {
    @Suite("The command verify")
    struct Verifying {
        let cluster: Cluster

        /// The files of a run of 40 steps with checkpoints at 20 and 40.
        static let whole = files(of: "--workers 2")
        static let other = files(of: "--workers 1 --seed 2")

        static func files(of line: String) -> Result<[String: Data], any Error> {
            Result {
                let cluster = try Cluster()
                let train = try cluster.train(
                    "\(line) --threads 1 --steps 40 --checkpoint-every 20")
                #expect(try train.waitForEnd() == 0)
                return try cluster.run.snapshot
            }
        }

        init() throws {
            cluster = try Cluster()
            try cluster.run.restore(try Self.whole.get())
        }

        func expectEqual(
            _ line: String, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let verify = try cluster.finish("verify run \(line)")
            #expect(
                try verify.waitForEnd() == 0, "\(verify.account)", sourceLocation: sourceLocation)
            for word in words {
                #expect(
                    verify.output.count == 1 && verify.output[0].contains(word),
                    "\(verify.account)", sourceLocation: sourceLocation)
            }
        }

        /// Code 65 and one sentence.
        func expectDifference(
            _ line: String = "", _ words: String...,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let verify = try cluster.finish("verify run \(line)")
            try expectRefusal(
                verify, code: ExitCode.data, words: words, sourceLocation: sourceLocation)
        }

        // MARK: equal

        @Test func `a finished run agrees, whichever stretch, and is left as it is`() throws {
            let before = try cluster.run.snapshot
            try expectEqual("", "steps 21..40 agree", "step-000020", "checkpoint of 40")
            try expectEqual("--steps 1..40", "steps 1..40 agree", "the seed", "of 20, 40")
            try expectEqual("--steps 25..30 --threads 3", "steps 21..30 agree", "step-000020")
            #expect(try cluster.run.snapshot == before)
            let outside = try cluster.finish("verify run --steps 30..41")
            #expect(try outside.waitForEnd() == ExitCode.usage)
        }

        @Test func `a run that is under way may be verified`() throws {
            try FileManager.default.removeItem(atPath: cluster.run.folder)
            let coordinator = try cluster.coordinator(
                "--workers 1 --steps 100000 --checkpoint-every 20 --keep 1000")
            let worker = try cluster.worker(of: coordinator)
            try coordinator.waitFor(step: 90)
            try expectEqual("", "agree", "so do")
            coordinator.terminate()
            #expect(try coordinator.waitForEnd() == 0)
            try expectEnds(of: [worker])
        }

        @Test func `skipped steps are skipped again`() throws {
            try FileManager.default.removeItem(atPath: cluster.run.folder)
            let train = try cluster.train(
                "--workers 1 --threads 1 --steps 6 --learning-rate 1e30 --warmup 1 --on-nan skip")
            #expect(try train.waitForEnd() == 0, "\(train.account)")
            let skipped = try cluster.run.ledger.count { $0.verdict == .skipped }
            #expect(skipped > 0)
            try expectEqual("", "steps 1..6 agree", "\(skipped) skipped")
        }

        @Test func `a torn last line is not counted`() throws {
            try change(cluster.run.path("ledger.jsonl")) { $0.removeLast(7) }
            let verify = try cluster.finish("verify run")
            #expect(try verify.waitForEnd() == 0, "\(verify.account)")
            #expect(verify.output[0].contains("steps 21..39 agree"))
            try verify.waitFor("dtrain: ", "ledger.jsonl ends in", "no whole line")
        }

        // MARK: different

        @Test(arguments: [20, 40], ["model.safetensors", "optimizer.safetensors"])
        func `a flipped bit in a checkpoint is named`(step: Int, file: String) throws {
            try change(cluster.run.checkpoint(step) + "/" + file) { $0[$0.count / 2] ^= 4 }
            try expectDifference("", "step-0000\(step)/\(file)", "manifest")
        }

        @Test(arguments: [20, 40])
        func `a checkpoint of other bits is named`(step: Int) throws {
            let prefix = "checkpoints/step-0000\(step)/"
            try cluster.run.restore(try Self.other.get().filter { $0.key.hasPrefix(prefix) })
            if step == 20 {
                try expectDifference("", "step 21 differs in the state", "step-000020")
            }
            try expectDifference("--steps 1..40", "step \(step) differs in", "step-0000\(step)")
        }

        static let changes: [(words: String, change: @Sendable (inout LedgerEntry) -> Void)] = [
            ("differs in the total gradient", { $0.total = String($0.total.reversed()) }),
            ("differs in the state before it", { $0.state = String($0.state.reversed()) }),
            ("differs in the loss", { $0.loss = $0.loss.nextUp }),
            ("differs in labels", { $0.labels += 1 }),
            ("differs in the verdict", { $0.verdict = .skipped }),
            ("has other samples", { $0.samples.swapAt(2, 3) }),
        ]

        @Test(arguments: changes.indices)
        func `a changed line of the ledger is named with what differs`(index: Int) throws {
            var entries = try cluster.run.ledger
            Self.changes[index].change(&entries[29])
            let lines = try entries.flatMap { try $0.line() }
            try Data(lines).write(to: URL(fileURLWithPath: cluster.run.path("ledger.jsonl")))
            let words = "step 30 " + Self.changes[index].words
            try expectDifference("", words, "steps 21..29 agree")
            // The state after step 29 is the one that the line of step 30 begins with.
            if words.contains("state") { try expectDifference("--steps 1..29", words) }
        }

        @Test func `a damaged line of the ledger is named`() throws {
            try change(cluster.run.path("ledger.jsonl")) { $0[$0.count / 2] ^= 1 }
            try expectDifference("", "ledger.jsonl, line ")
        }

        @Test func `another text gives other samples`() throws {
            var text = try String(
                contentsOfFile: cluster.run.path("configuration.yaml"), encoding: .utf8)
            let line = try #require(
                text.split(separator: "\n").first { $0.hasPrefix("batch-tokens") })
            text = text.replacing(line, with: "batch-tokens: 700")
            try text.write(
                toFile: cluster.run.path("configuration.yaml"), atomically: true, encoding: .utf8)
            try expectDifference("", "step 21 has other samples")
        }

        private func change(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
            let url = URL(fileURLWithPath: path)
            var bytes = [UInt8](try Data(contentsOf: url))
            change(&bytes)
            try Data(bytes).write(to: url)
        }
    }
}
