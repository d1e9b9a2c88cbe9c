import Kernels
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
            guard count > 1 else { return }
            // Of partial sums only headers travel, of totals what others have made.
            let parameters = try number(before: "parameters", coordinator.waitFor("model: ").text)
            let sent = try workers.reduce(0) {
                try $0 + number(before: "bytes", $1.waitFor("the ring has sent").text)
            }
            let totals = 60 * (count - 1) * 4 * parameters
            #expect(sent >= totals && sent < totals * 101 / 100, "\(sent) of \(totals)")
        }

        @Test(
            .enabled(if: Instructions.available.count > 1, "this processor has no wider ones"))
        func `by workers that compute with different instructions in one run`() throws {
            let names = Instructions.available.map(\.rawValue)
            let coordinator = try cluster.coordinator("--workers \(names.count + 1) --steps 60")
            let workers = try (names + [names[0]]).enumerated().map {
                try cluster.worker(
                    of: coordinator, "--threads 1 --kernel \($1)", as: "worker \($0)")
            }
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.short)
            try expectEnds(of: workers)
        }

        @Test func `by train with the instructions that all processors have`() throws {
            let train = try cluster.train(
                "--workers 2 --threads 1 --steps 60 --kernel \(Instructions.floor.rawValue)")
            try expectUndisturbed(train, in: cluster, as: Undisturbed.short)
        }

        @Test func `where products are of bfloat16, by workers with different instructions`() throws
        {
            let names = Instructions.available.map(\.rawValue)
            let coordinator = try cluster.coordinator(
                "--precision bf16 --workers \(names.count) --steps 60")
            let workers = try names.enumerated().map {
                try cluster.worker(
                    of: coordinator, "--threads 1 --kernel \($1)", as: "worker \($0)")
            }
            try expectUndisturbed(coordinator, in: cluster, as: Undisturbed.rounded)
            try expectEnds(of: workers)
            #expect(try Undisturbed.rounded.get().digest != Undisturbed.short.get().digest)
        }

        /// In shared memory numbers stay float32, over links they take a byte: rounded they are in both.
        @Test(arguments: ["--workers 2", "--workers 3 --transport tcp", "--workers 8"])
        func `where sums are rounded, by train with any number of workers`(links: String) throws {
            let train = try cluster.train("--wire int8 --threads 1 --steps 60 \(links)")
            try expectUndisturbed(train, in: cluster, as: Undisturbed.int8)
            #expect(try Undisturbed.int8.get().digest != Undisturbed.short.get().digest)
        }

        @Test func `where sums are rounded to 16 bits`() throws {
            let train = try cluster.train(
                "--wire bf16 --workers 3 --transport ipc --threads 1 --steps 60")
            try expectUndisturbed(train, in: cluster, as: Undisturbed.bf16)
            #expect(try Undisturbed.bf16.get().digest != Undisturbed.short.get().digest)
        }

        private func number(before word: String, _ text: String) throws -> Int {
            let words = text.split(separator: " ")
            let place = try #require(words.firstIndex { $0.hasPrefix(word) })
            return try #require(Int(words[place - 1].filter { $0 != "," }))
        }
    }
}
