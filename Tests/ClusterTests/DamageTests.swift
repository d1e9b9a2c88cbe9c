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

        @Test func `a ledger that ends before the checkpoint ends with 65`() throws {
            try change(cluster.run.path("ledger.jsonl")) { $0.removeLast(7) }
            let resumed = try resume()
            #expect(try resumed.waitForEnd() == ExitCode.data)
            try resumed.waitFor("dtrain: ", "ledger.jsonl, line ")
        }

        @Test func `a damaged line within the ledger ends with 65 and its number`() throws {
            try change(cluster.run.path("ledger.jsonl")) { $0[$0.count / 2] ^= 1 }
            let resumed = try resume()
            #expect(try resumed.waitForEnd() == ExitCode.data)
            try resumed.waitFor("dtrain: ", "ledger.jsonl, line ")
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
