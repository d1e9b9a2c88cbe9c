import Foundation
import TestKit
import Testing

extension ClusterTests {
    @Suite("Stopping and going on")
    struct Resuming {
        let cluster: Cluster

        init() throws { cluster = try Cluster() }

        @Test(arguments: [(1, 1), (2, 3)])
        func `30 steps and 30 more are 60 at once`(workers: Int, laterWorkers: Int) throws {
            let first = try cluster.train("--workers \(workers) --threads 1 --steps 30")
            #expect(try first.waitForEnd() == 0)
            #expect(try cluster.run.checkpoints == [30])
            let second = try cluster.train(
                "--workers \(laterWorkers) --threads 2 --steps 60 --resume")
            try second.waitFor("going on after step 30")
            try expectUndisturbed(second, in: cluster, as: Undisturbed.short)
            try expectNothingLeft(of: cluster)
        }

        @Test func `a run that is complete says so and ends with 0`() throws {
            let first = try cluster.train("--workers 1 --threads 1 --steps 60")
            try first.waitForEnd()
            let again = try cluster.train("--workers 1 --threads 1 --steps 60 --resume")
            try expectUndisturbed(again, in: cluster, as: Undisturbed.short)
            try again.waitFor("60")
        }

        @Test(arguments: [false, true])
        func `the first Ctrl-C or SIGTERM saves and ends with 0`(isTerminate: Bool) throws {
            let train = try cluster.train("--workers 2 --threads 1 --steps 300")
            try train.waitFor(step: 20)
            if isTerminate { train.terminateGroup() } else { train.interruptGroup() }
            #expect(try train.waitForEnd() == 0, "\(train.account)")
            let step = try #require(try cluster.run.checkpoints.last, "\(train.account)")
            try train.waitFor("stopping after step")
            try train.waitFor("stopped at step \(step), saved in run")
            #expect(step >= 20 && step < 300)
            #expect(try cluster.run.ledger.count == step)
            try expectNothingLeft(of: cluster)
            let rest = try cluster.train("--workers 3 --threads 1 --steps 300 --resume", as: "rest")
            try rest.waitFor("going on after step \(step)")
            try expectUndisturbed(rest, in: cluster, as: Undisturbed.long)
        }

        @Test func `SIGTERM of a coordinator ends its workers with 0 too`() throws {
            let coordinator = try cluster.coordinator("--workers 2 --steps 300")
            let workers = try (1...2).map {
                try cluster.worker(of: coordinator, as: "worker \($0)")
            }
            try coordinator.waitFor(step: 20)
            coordinator.terminate()
            #expect(try coordinator.waitForEnd() == 0)
            try expectEnds(of: workers)
            try expectNothingLeft(of: cluster)
        }

        @Test func `a second Ctrl-C ends at once with 130`() throws {
            let train = try cluster.train("--workers 2 --threads 1 --steps 300")
            try train.waitFor(step: 20)
            // Workers that stand still cannot deliver the checkpoint that the first one asks for.
            for worker in train.joined { cluster.send(SIGSTOP, to: worker) }
            train.interruptGroup()
            try train.waitFor("stopping after step")
            train.interruptGroup()
            #expect(
                try train.waitForEnd() == ExitCode.interruptedTwice, "\(train.account)")
            for worker in train.joined { try cluster.waitUntilGone(worker) }
            try expectNothingLeft(of: cluster)
            let rest = try cluster.train("--workers 2 --threads 1 --steps 300 --resume", as: "rest")
            try expectUndisturbed(rest, in: cluster, as: Undisturbed.long)
        }

        @Test func `SIGTERM before any worker has come ends with 0 too`() throws {
            let coordinator = try cluster.coordinator("--workers 2 --steps 300")
            try coordinator.waitFor("listening on")
            coordinator.terminate()
            #expect(try coordinator.waitForEnd() == 0)
            try coordinator.waitFor("before the first step")
            let train = try cluster.train("--workers 1 --threads 1 --steps 300 --resume")
            try expectUndisturbed(train, in: cluster, as: Undisturbed.long)
        }
    }
}
