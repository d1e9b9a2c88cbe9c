import Coordination
import Foundation
import TestKit
import Testing

extension ClusterTests {
    @Suite("The right one is blamed")
    struct Blaming {
        /// How workers are lost; three of four, one after another.
        enum Loss: String, CaseIterable {
            case killed
            case stoppedInComputing = "stopped in computing"
            case stoppedInFolding = "stopped in folding"
            case stoppedInVoting = "stopped in voting"
            case cutOff = "cut off together with the coordinator"

            /// What it is said to have been doing; nil where that is left to chance.
            var phases: [String]? {
                switch self {
                case .stoppedInComputing: ["computing"]
                case .stoppedInFolding: ["folding"]
                // The coordinator may have been stopped before all its orders had left it.
                case .stoppedInVoting, .killed, .cutOff: nil
                }
            }

            /// In seconds; long enough to look at the run before anybody is given up.
            var peerTimeout: Int { self == .stoppedInFolding ? 3 : 1 }

            /// Steps long enough to be met in the middle, or short ones.
            var model: String {
                self == .stoppedInComputing ? "--batch-tokens 16384 --d-model 128 --d-ff 512" : ""
            }
        }

        let cluster: Cluster

        init() throws { cluster = try Cluster() }

        @Test(arguments: Loss.allCases)
        func `of four workers, three times`(loss: Loss) throws {
            let coordinator = try cluster.coordinator(
                "--workers 4 --steps 1000000 --checkpoint-every 0 "
                    + "--peer-timeout \(loss.peerTimeout)s \(loss.model)")
            var workers = try (1...4).map {
                try cluster.worker(of: coordinator, as: "worker \($0)")
            }
            var step = try coordinator.waitFor(step: 2)
            for _ in 1...3 {
                let mark = coordinator.mark
                let victim = workers.remove(at: workers.count / 2)
                let name = try #require(Self.name(of: victim, in: coordinator))
                try lose(victim, name, loss, beside: workers, of: coordinator)
                let line = try coordinator.waitFor("worker ", "is gone after step", after: mark)
                #expect(line.text.contains("worker \(name) on"), "\(coordinator.account)")
                let reason =
                    loss == .killed
                    ? "its connection broke" : "it has not been heard for \(loss.peerTimeout)."
                #expect(line.text.contains(reason), "\(line.text)")
                if let phases = loss.phases {
                    let named = phases.contains { line.text.contains("while \($0): ") }
                    #expect(named, "\(line.text)")
                }
                victim.kill()
                step = try coordinator.waitFor(step: step + 1, after: coordinator.mark)
                // Nobody but the victim has been blamed by then.
                let gone = coordinator.lines.dropFirst(mark).filter {
                    $0.text.contains("is gone after step") || $0.text.contains("differ")
                }
                #expect(gone.count == 1, "\(coordinator.account)")
            }
            coordinator.terminate()
            #expect(try coordinator.waitForEnd() == 0)
            try expectEnds(of: workers)
        }

        /// Stops or kills `victim` where `loss` says.
        private func lose(
            _ victim: RunningProgram, _ name: String, _ loss: Loss, beside others: [RunningProgram],
            of coordinator: RunningProgram
        ) throws {
            switch loss {
            case .killed: victim.kill()
            case .stoppedInComputing:
                // Nearly all of a step is computing; its beginning is said with the one before.
                try coordinator.waitFor("step ", "tokens/s", after: coordinator.mark)
                try pause(milliseconds: 30)
                victim.stop()
            case .stoppedInFolding:
                try #require(try stopInFolding(victim, name, without: others[0], of: coordinator))
            case .stoppedInVoting:
                // Votes stay without an answer while nobody counts them.
                coordinator.stop()
                try pause(milliseconds: 500)
                victim.stop()
                coordinator.resume()
            case .cutOff:
                victim.stop()
                coordinator.stop()
                try pause(milliseconds: 300)
                coordinator.resume()
            }
        }

        /// Without the first the others can finish computing, but not the fold; unless it was
        /// stopped when all it had to give had been taken: then they vote, and it is tried again.
        private func stopInFolding(
            _ victim: RunningProgram, _ name: String, without first: RunningProgram,
            of coordinator: RunningProgram
        ) throws -> Bool {
            for _ in 1...20 {
                first.stop()
                let deadline = Date() + 2
                // What is known of the victim may be of the step before: its next heartbeat is due.
                try pause(milliseconds: 800)
                var known: String?
                while known != "folding" && known != "voting" && Date() < deadline {
                    known = try phase(of: name)
                }
                if known == "folding" { victim.stop() }
                first.resume()
                if known == "folding" { return true }
                try coordinator.waitFor("step ", "tokens/s", after: coordinator.mark)
            }
            return false
        }

        private func phase(of name: String) throws -> String? {
            let asked = try cluster.finish("status --json --run run")
            let status = try JSONDecoder().decode(RunStatus.self, from: Data(asked.output[0].utf8))
            return status.workers.first { $0.id == name }?.phase
        }

        /// Time passes for processes that stand still: nothing else shows that it has.
        private func pause(milliseconds: UInt32) throws { usleep(milliseconds * 1000) }

        /// What the coordinator calls a worker.
        private static func name(
            of worker: RunningProgram, in coordinator: RunningProgram
        ) -> String? {
            let line = coordinator.lines.last {
                $0.text.contains("(process \(worker.processID),")
                    && $0.text.contains("joined from")
            }
            guard let words = line?.text.split(separator: " "),
                let index = words.firstIndex(of: "worker")
            else { return nil }
            return String(words[index + 1])
        }
    }
}
