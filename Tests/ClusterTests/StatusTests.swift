import Coordination
import Foundation
import TestKit
import Testing

extension ClusterTests {
    @Suite("Telling what is wrong")
    struct Telling {
        let cluster: Cluster

        init() throws { cluster = try Cluster() }

        func status(_ arguments: String) throws -> RunStatus {
            let asked = try cluster.finish("status --json \(arguments)")
            #expect(try asked.waitForEnd() == 0, "\(asked.account)")
            return try JSONDecoder().decode(RunStatus.self, from: Data(asked.output[0].utf8))
        }

        @Test func `status shows who does what, SIGUSR1 the state machines, also when one hangs`()
            throws
        {
            let coordinator = try cluster.coordinator(
                "--workers 2 --steps 2000 --peer-timeout 4s --no-balance")
            let workers = try (1...2).map {
                try cluster.worker(of: coordinator, as: "worker \($0)")
            }
            try coordinator.waitFor(step: 20)
            let running = try status("--run run")
            #expect(running.state == .running && running.step >= 20 && running.steps == 2000)
            #expect(Set(running.workers.map(\.pid)) == Set(workers.map { Int($0.processID) }))
            #expect(running.workers.map(\.shards) == [4, 4])
            // The first to join is w1.
            let (first, second) =
                running.workers[0].pid == Int(workers[0].processID)
                ? (workers[0], workers[1]) : (workers[1], workers[0])
            second.stop()
            // The coordinator says by itself whom it waits for, before it gives anybody up.
            let line = try coordinator.waitFor("has been waiting for", "w2")
            #expect(!line.text.contains("w1 on"), "\(coordinator.account)")
            let hung = try status("--token-file run/token --connect \(try coordinator.address)")
            // Where the step stands still: in the fold it waits for its neighbour, else for the commit.
            let survivor = try #require(hung.workers.first { $0.id == "w1" })
            #expect(survivor.phase != "folding" || survivor.waitingFor == "w2")
            #expect(survivor.heardMilliseconds < 2_000)
            coordinator.dump()
            try coordinator.waitFor("WORKER", "WAITS FOR")
            first.dump()
            try first.waitFor("holds the state of step")
            second.resume()
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: workers)
        }

        @Test func `status says in one sentence that nobody answers`() throws {
            let nowhere = try cluster.finish("status --run run")
            #expect(try nowhere.waitForEnd() == 69, "\(nowhere.account)")
            try nowhere.waitFor("dtrain: no coordinator has run open")
            let closed = try cluster.finish("status --insecure --connect tcp://127.0.0.1:9")
            #expect(try closed.waitForEnd() == 69, "\(closed.account)")
            try closed.waitFor("dtrain: no coordinator answers at tcp://127.0.0.1:9")
        }
    }
}
