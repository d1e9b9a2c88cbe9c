import Foundation
import TestKit
import Testing

extension ClusterTests {
    @Suite("Losing and gaining processes")
    struct Losing {
        let cluster: Cluster

        init() throws { cluster = try Cluster() }

        func workers(of coordinator: RunningProgram, _ count: Int) throws -> [RunningProgram] {
            try (1...count).map { try cluster.worker(of: coordinator, as: "worker \($0)") }
        }

        // MARK: slow

        @Test func `one that crawls stays, with fewer shards`() throws {
            let coordinator = try cluster.coordinator(
                "--workers 2 --steps 120 --checkpoint-every 0 \(Undisturbed.slowSteps)")
            let workers = try workers(of: coordinator, 2)
            try coordinator.waitFor(step: 5)
            let crawler = workers[1]
            // It runs a fifth of the time.
            let deadline = Date() + RunningProgram.patience
            while Date() < deadline, !isCut(coordinator) {
                crawler.stop()
                usleep(8_000)
                crawler.resume()
                usleep(2_000)
            }
            let ring = try coordinator.waitFor("ring 1.2: ")
            let shards = ring.text.split(separator: " ").compactMap { Int($0.prefix { $0 != "," }) }
            #expect(shards.first! + shards[1] == 8 && shards[0] != shards[1], "\(ring.text)")
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.slow)
            #expect(!coordinator.lines.contains { $0.text.contains("is gone after step") })
            try expectEnds(of: workers)
        }

        private func isCut(_ coordinator: RunningProgram) -> Bool {
            coordinator.lines.contains { $0.text.contains("the shards are cut by speed") }
        }

        // MARK: killed

        @Test func `train starts another worker for one that is killed`() throws {
            let train = try cluster.train("--workers 3 --threads 1 --steps 300")
            try train.waitFor(step: 20)
            let mark = train.mark
            cluster.send(SIGKILL, to: train.joined[1])
            try train.waitFor("starting another", after: mark)
            try train.waitFor("joined from", after: mark)
            try expectUndisturbed(train, in: cluster, as: Undisturbed.long)
            try expectNothingLeft(of: cluster)
        }

        @Test(arguments: ["", "--transport tcp"])
        func `sums that are rounded come out the same though a worker is killed`(links: String)
            throws
        {
            let train = try cluster.train(
                "--wire int8 --workers 3 --threads 1 --steps 300 \(links)")
            try train.waitFor(step: 20)
            let mark = train.mark
            cluster.send(SIGKILL, to: train.joined[1])
            try train.waitFor("joined from", after: mark)
            try expectUndisturbed(train, in: cluster, as: Undisturbed.longInt8)
            try expectNothingLeft(of: cluster)
        }

        @Test(arguments: [1, 3])
        func `survivors go on without workers that are killed`(killed: Int) throws {
            let coordinator = try cluster.coordinator("--workers 4 --steps 300")
            let workers = try workers(of: coordinator, 4)
            try coordinator.waitFor(step: 20)
            for worker in workers.prefix(killed) { worker.kill() }
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.long)
            try expectEnds(of: workers.dropFirst(killed))
            try expectNothingLeft(of: cluster)
        }

        /// Links of every kind notice it, the streams by the ZeroMQ connection beside them.
        @Test(arguments: ["--secure", "--transport tcp --insecure", "--transport ipc"])
        func `the survivor goes on, whatever its link`(links: String) throws {
            let coordinator = try cluster.coordinator(
                "--workers 2 --steps 300 --peer-timeout 30s \(links)")
            let access = links.contains("--insecure") ? "--insecure" : "--token-file run/token"
            let workers = try (1...2).map {
                try cluster.worker(of: coordinator, access: access, as: "worker \($0)")
            }
            try coordinator.waitFor(step: 20)
            let begun = ContinuousClock.now
            workers[1].kill()
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.long)
            let loss = try coordinator.waitFor("is gone after step")
            // Noticed as a broken connection, not as silence.
            #expect(loss.arrival - begun < .seconds(15))
            try expectEnds(of: workers.dropLast())
            try expectNothingLeft(of: cluster)
        }

        @Test func `when all workers are killed the next go on from the last checkpoint`() throws {
            let train = try cluster.train(
                "--workers 2 --threads 1 --steps 300 --checkpoint-every 10")
            try train.waitFor(": saved")
            try train.waitFor(step: 25)
            for worker in train.joined { cluster.send(SIGKILL, to: worker) }
            try train.waitFor("going back to step")
            try expectUndisturbed(train, in: cluster, as: Undisturbed.long)
            try expectNothingLeft(of: cluster)
        }

        @Test func `workers of train end with it when it is killed, and --resume goes on`() throws {
            let train = try cluster.train(
                "--workers 2 --threads 1 --steps 300 --checkpoint-every 10")
            try train.waitFor(": saved")
            train.kill()
            #expect(try train.waitForEnd() == -SIGKILL)
            for worker in train.joined { try cluster.waitUntilGone(worker) }
            try expectNothingLeft(of: cluster)
            let rest = try cluster.train("--workers 2 --threads 1 --steps 300 --resume", as: "rest")
            try rest.waitFor("going on after step")
            try expectUndisturbed(rest, in: cluster, as: Undisturbed.long)
        }

        @Test func `workers outlive a coordinator that is killed and serve the next`() throws {
            let coordinator = try cluster.coordinator(
                "--workers 2 --steps 300 --checkpoint-every 10")
            let workers = try workers(of: coordinator, 2)
            try coordinator.waitFor(": saved")
            try coordinator.waitFor(step: 25)
            coordinator.kill()
            for worker in workers { try worker.waitFor("connection to the coordinator is lost") }
            let committed = try #require(try cluster.run.ledger.last?.step)
            let next = try cluster.coordinator(
                "--workers 2 --steps 300 --resume", bind: try coordinator.address, as: "next")
            // They still hold the state: nothing is sent, no step folded again.
            #expect(try next.waitFor(step: 1) == committed + 1)
            try expectUndisturbed(next, in: cluster, as: Undisturbed.long)
            for sign in ["going back", "takes the state", "sending the state"] {
                #expect(!next.lines.contains { $0.text.contains(sign) }, "\(next.account)")
            }
            try expectEnds(of: workers)
            try expectNothingLeft(of: cluster)
        }

        // MARK: stopped

        @Test func `a worker that stands still is left out, and comes back`() throws {
            let coordinator = try cluster.coordinator("--workers 2 --steps 2000 --peer-timeout 1s")
            let workers = try workers(of: coordinator, 2)
            try coordinator.waitFor(step: 20)
            let mark = coordinator.mark
            workers[0].stop()
            try coordinator.waitFor("is gone", "has not been heard", after: mark)
            workers[0].resume()
            try coordinator.waitFor("joined from", after: mark)
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: workers)
        }

        @Test func `a coordinator that stands still throws nobody out`() throws {
            let coordinator = try cluster.coordinator("--workers 2 --steps 300 --peer-timeout 1s")
            let workers = try workers(of: coordinator, 2)
            try coordinator.waitFor(step: 20)
            coordinator.stop()
            for worker in workers { try worker.waitFor("has not been heard") }
            coordinator.resume()
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.long)
        }

        // MARK: joining

        @Test func `a worker that comes in the middle takes its share`() throws {
            let coordinator = try cluster.coordinator("--workers 1 --steps 2000")
            var workers = try workers(of: coordinator, 1)
            try coordinator.waitFor(step: 20)
            workers.append(try cluster.worker(of: coordinator, as: "late worker"))
            try coordinator.waitFor("w1 has 4, w2 has 4 of 8 shards")
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: workers)
            try expectNothingLeft(of: cluster)
        }

        // MARK: all together

        @Test(arguments: [1])
        func `ten workers are lost one after another, ten come, and some stand still`(
            seed: UInt64
        ) throws {
            var dice = Dice(seed: seed)
            let coordinator = try cluster.coordinator("--workers 3 --steps 2000 --peer-timeout 1s")
            var workers = try workers(of: coordinator, 3)
            var step = 5
            for number in 4...13 {
                step = try coordinator.waitFor(step: step) + Int.random(in: 10...30, using: &dice)
                let victim = workers.remove(at: .random(in: workers.indices, using: &dice))
                if Bool.random(using: &dice) { victim.stop() }
                let next = try cluster.worker(of: coordinator, as: "worker \(number)")
                workers.append(next)
                if Bool.random(using: &dice) {
                    try coordinator.waitFor("joined from", "(process \(next.processID),")
                }
                victim.kill()
            }
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.longest)
            try expectEnds(of: workers)
            try expectNothingLeft(of: cluster)
        }
    }
}
