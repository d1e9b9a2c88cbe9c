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
                    + "--steps 600 --checkpoint-every 50 --peer-timeout 1s",
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

        private func permit(_ mode: Int) throws {
            try FileManager.default.setAttributes(
                [.posixPermissions: mode], ofItemAtPath: cluster.run.path("checkpoints"))
        }
    }
}
