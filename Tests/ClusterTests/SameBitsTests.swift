import TestKit
import Testing

extension ClusterTests {
    @Suite("The same bits")
    struct SameBits {
        let cluster: Cluster

        init() throws { cluster = try Cluster() }

        @Test(arguments: [1, 2, 3, 4, 8])
        func `by train with any number of workers`(workers: Int) throws {
            let train = try cluster.train("--workers \(workers) --threads 1 --steps 60")
            try expectUndisturbed(train, in: cluster, as: Undisturbed.short)
            try expectNothingLeft(of: cluster)
        }

        @Test(arguments: [1, 3])
        func `by workers of two threads`(workers: Int) throws {
            let train = try cluster.train("--workers \(workers) --threads 2 --steps 60")
            try expectUndisturbed(train, in: cluster, as: Undisturbed.short)
        }

        @Test(arguments: [1, 2, 3])
        func `by a coordinator and workers that are started by themselves`(count: Int) throws {
            let coordinator = try cluster.coordinator("--workers \(count) --steps 60")
            let workers = try (0..<count).map {
                try cluster.worker(of: coordinator, "--threads \($0 % 2 + 1)", as: "worker \($0)")
            }
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.short)
            try expectEnds(of: workers)
            try expectNothingLeft(of: cluster)
        }
    }
}
