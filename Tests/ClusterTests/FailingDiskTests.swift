import Foundation
import TestKit
import Testing

extension ClusterTests {
    @Suite("A disk that fails")
    struct FailingDisks {
        let cluster: Cluster

        init() throws { cluster = try Cluster() }

        @Test func `training goes on without checkpoints, says so, and tries again`() throws {
            let coordinator = try cluster.start(
                "coordinator --run run --bind tcp://127.0.0.1:0 \(Cluster.tiny) --workers 1 "
                    + "--steps 2000 --checkpoint-every 50 --peer-timeout 1s",
                as: "coordinator", isPowerless: true)
            let worker = try cluster.worker(of: coordinator)
            try coordinator.waitFor("step 50: saved")
            try permit(0o555)
            let mark = coordinator.mark
            try coordinator.waitFor(
                "the checkpoint was not written", "Permission denied", "training goes on",
                after: mark)
            try coordinator.waitFor("trying again in 1.0 s", after: mark)
            let step = try coordinator.waitFor(step: 1, after: coordinator.mark)
            try coordinator.waitFor(step: step + 10, after: coordinator.mark)
            #expect(try cluster.run.checkpoints.first == 50)
            try permit(0o755)
            try coordinator.waitFor(": saved", after: coordinator.mark)
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: [worker])
        }

        @Test func `training pauses while the ledger cannot be written, and loses nothing`() throws
        {
            let coordinator = try cluster.coordinator(
                "--workers 2 --steps 2000 --checkpoint-every 0 --peer-timeout 1s")
            let workers = try (1...2).map {
                try cluster.worker(of: coordinator, as: "worker \($0)")
            }
            try coordinator.waitFor(step: 20)
            let mark = coordinator.mark
            try limitFiles(of: coordinator, to: "\(ledgerBytes + 100)")
            try coordinator.waitFor(
                "the ledger was not written", "File too large", "training pauses", after: mark)
            let committed = try #require(try cluster.run.ledger.last?.step)
            let status = try cluster.finish("status --run run")
            #expect(status.output[0].contains("paused until the ledger can be written"))
            // Time passes in which nothing is said: longer than anybody may be silent or stuck.
            usleep(3_000_000)
            #expect(try cluster.run.ledger.last?.step == committed)
            try limitFiles(of: coordinator, to: "unlimited")
            try coordinator.waitFor("the ledger is written again", after: mark)
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: workers)
            for sign in ["is gone after step", "has not moved", "has been waiting"] {
                let said = coordinator.lines.map(\.text).filter {
                    $0.contains(sign) && !$0.contains("more worker")
                }
                #expect(said == [])
            }
        }

        @Test func `Ctrl-C ends a run that waits for its ledger, which goes on later`() throws {
            let coordinator = try cluster.coordinator(
                "--workers 1 --steps 300 --checkpoint-every 10 --peer-timeout 1s")
            let worker = try cluster.worker(of: coordinator)
            try coordinator.waitFor("step 10: saved")
            try limitFiles(of: coordinator, to: "\(ledgerBytes + 100)")
            try coordinator.waitFor("training pauses")
            coordinator.interrupt()
            #expect(try coordinator.waitForEnd() == 74, "\(coordinator.account)")
            #expect(coordinator.errors.last?.contains("ledger.jsonl") == true)
            try expectEnds(of: [worker])
            let rest = try cluster.coordinator("--workers 1 --steps 300 --resume", as: "rest")
            let next = try cluster.worker(of: rest)
            try expectUndisturbed(rest, in: cluster, as: Undisturbed.long)
            try expectEnds(of: [next])
        }

        private var ledgerBytes: Int {
            FileManager.default.contents(atPath: cluster.run.path("ledger.jsonl"))?.count ?? 0
        }

        /// No file of the process may grow beyond so many bytes, as if the disk were full.
        private func limitFiles(of program: RunningProgram, to bytes: String) throws {
            let limited = try cluster.shell(
                "prlimit --pid \(program.processID) --fsize=\(bytes):unlimited")
            #expect(try limited.waitForEnd() == 0, "\(limited.account)")
        }

        private func permit(_ mode: Int) throws {
            try FileManager.default.setAttributes(
                [.posixPermissions: mode], ofItemAtPath: cluster.run.path("checkpoints"))
        }
    }
}
