import Foundation
import TestKit
import Testing

extension ClusterTests {
    @Suite("Going on from damaged files")
    struct Damaging {
        let cluster: Cluster

        /// The files of a run of 40 steps with checkpoints at 20 and 40.
        static let whole = Result {
            let cluster = try Cluster()
            let train = try cluster.train(
                "--workers 1 --threads 1 --steps 40 --checkpoint-every 20")
            #expect(try train.waitForEnd() == 0)
            #expect(try cluster.run.checkpoints == [20, 40])
            return try cluster.run.snapshot
        }

        init() throws {
            cluster = try Cluster()
            try cluster.run.restore(try Self.whole.get())
        }

        func resume() throws -> RunningProgram {
            try cluster.train("--workers 2 --threads 1 --steps 60 --resume", as: "resumed")
        }

        static let files = ["model.safetensors", "optimizer.safetensors", "state.json"]

        @Test(arguments: files, [true, false])
        func `a checkpoint cut short or with one flipped bit is passed over`(
            file: String, isCut: Bool
        ) throws {
            let path = cluster.run.checkpoint(40) + "/" + file
            try change(path) { bytes in
                if isCut { bytes.removeLast() } else { bytes[bytes.count / 2] ^= 4 }
            }
            let resumed = try resume()
            try resumed.waitFor("is not whole", "step-000040", file)
            try resumed.waitFor("going on after step 20")
            try expectUndisturbed(resumed, in: cluster, as: Undisturbed.short)
        }

        @Test func `without any whole checkpoint the run is done again`() throws {
            for step in [20, 40] {
                try change(cluster.run.checkpoint(step) + "/model.safetensors") { $0[100] ^= 1 }
            }
            let resumed = try resume()
            try resumed.waitFor("is not whole", "step-000040")
            try resumed.waitFor("is not whole", "step-000020")
            try expectUndisturbed(resumed, in: cluster, as: Undisturbed.short)
        }

        @Test func `a torn last line of the ledger is cut and its step done again`() throws {
            try FileManager.default.removeItem(atPath: cluster.run.checkpoint(40))
            try change(cluster.run.path("ledger.jsonl")) { $0.removeLast(7) }
            let resumed = try resume()
            try resumed.waitFor("the ledger's last line was torn")
            try expectUndisturbed(resumed, in: cluster, as: Undisturbed.short)
        }

        @Test func `a ledger that ends before the checkpoint goes on from an older one`() throws {
            try change(cluster.run.path("ledger.jsonl")) { $0.removeLast(7) }
            let resumed = try resume()
            try resumed.waitFor("the ledger ends at step 39", "step 40", "from step 20")
            try resumed.waitFor("going on after step 20")
            try expectUndisturbed(resumed, in: cluster, as: Undisturbed.short)
        }

        @Test func `a ledger that no checkpoint is as old as begins anew behind the newest`() throws
        {
            try FileManager.default.removeItem(atPath: cluster.run.checkpoint(20))
            try change(cluster.run.path("ledger.jsonl")) { $0.removeLast($0.count / 2) }
            let resumed = try resume()
            try resumed.waitFor(
                "begins anew behind the checkpoint of step 40", "ledger.jsonl.kept-1")
            try expectRest(resumed, after: 40)
            try expectVerified("steps 41..60 agree, recomputed from run/checkpoints/step-000040")
        }

        @Test(arguments: [true, false])
        func `a missing or empty ledger beside checkpoints is said`(isMissing: Bool) throws {
            try FileManager.default.removeItem(atPath: cluster.run.path("ledger.jsonl"))
            if !isMissing { try cluster.run.restore(["ledger.jsonl": Data()]) }
            let resumed = try resume()
            try resumed.waitFor("the ledger is \(isMissing ? "missing" : "empty")", "step 40")
            try expectRest(resumed, after: 40)
            try expectVerified("steps 41..60 agree")
        }

        @Test func `a damaged line within the ledger: the lines that a checkpoint reaches stay`()
            throws
        {
            try change(cluster.run.path("ledger.jsonl")) { $0[$0.count / 2] ^= 1 }
            let refused = try cluster.finish("verify run")
            try expectRefusal(
                refused, code: ExitCode.data, words: ["line ", "train --resume --run run"])
            let resumed = try resume()
            try resumed.waitFor("the ledger is damaged at line", "kept in run/ledger.jsonl.kept-1")
            #expect(try resumed.waitForEnd() == 0, "\(resumed.account)")
            #expect(resumed.digest == (try Undisturbed.short.get().digest))
            try expectVerified("60 agree")
        }

        @Test func `all small files lost at once: goes on with the settings of the checkpoint`()
            throws
        {
            try cluster.run.restore(["configuration.yaml": Data(), "identity": Data("12".utf8)])
            for name in ["incarnation", "token", "metrics.jsonl"] {
                try FileManager.default.removeItem(atPath: cluster.run.path(name))
            }
            let resumed = try resume()
            for words in [
                "configuration.yaml is empty", "identity is cut short", "incarnation is missing",
                "token is missing", "metrics.jsonl has no line of the steps 1..40",
            ] { try resumed.waitFor(words) }
            try expectUndisturbed(resumed, in: cluster, as: Undisturbed.short)
        }

        /// The digest is the undisturbed run's, and so are the ledger's lines, which begin behind `step`.
        private func expectRest(_ resumed: RunningProgram, after step: Int) throws {
            let truth = try Undisturbed.short.get()
            #expect(try resumed.waitForEnd() == 0, "\(resumed.account)")
            #expect(resumed.digest == truth.digest)
            let ledger = try cluster.run.ledger
            #expect(ledger.map(\.step) == Array(step + 1...truth.steps))
            #expect(ledger.map(\.state) == truth.ledger.dropFirst(step).map(\.state))
        }

        private func expectVerified(_ words: String) throws {
            let verified = try cluster.finish("verify run")
            #expect(try verified.waitForEnd() == 0, "\(verified.account)")
            #expect(verified.output.first?.contains(words) == true, "\(verified.account)")
        }

        @Test func `a ledger that tells of another run is noticed at its first step`() throws {
            try FileManager.default.removeItem(atPath: cluster.run.checkpoint(40))
            try FileManager.default.removeItem(atPath: cluster.run.checkpoint(20))
            let other = try Cluster()
            let train = try other.train("--workers 1 --threads 1 --steps 20 --seed 2")
            #expect(try train.waitForEnd() == 0)
            try FileManager.default.removeItem(atPath: cluster.run.path("ledger.jsonl"))
            try FileManager.default.copyItem(
                atPath: other.run.path("ledger.jsonl"), toPath: cluster.run.path("ledger.jsonl"))
            let resumed = try resume()
            #expect(try resumed.waitForEnd() == ExitCode.data, "\(resumed.account)")
            try resumed.waitFor("dtrain: step 1", "ledger")
        }

        private func change(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
            let url = URL(fileURLWithPath: path)
            var bytes = [UInt8](try Data(contentsOf: url))
            change(&bytes)
            try Data(bytes).write(to: url)
        }
    }
}
