import Foundation
import Measuring
import Ring
import Testing

/// Constants that make sums easy: a microsecond a token, a nanosecond a byte for each pass.
private func constants(pass: Double = 1e-9, cores: Int = 1) throws -> PlanConstants {
    let text = """
        {"secondsPerToken": 1e-6, "finals": [{"share": 0.5, "before": 5e-7}, {"share": 0, "before": 0}],
         "addPerByte": \(pass), "storePerByte": \(pass), "updatePerByte": \(pass),
         "hopSeconds": 1e-5, "activations": 1000000, "cores": \(cores)}
        """
    return try JSONDecoder().decode(PlanConstants.self, from: Data(text.utf8))
}

private func cluster(
    _ workers: Int, hosts: Int = 1, threads: Int = 1, tokens: Int = 1_000_000, shards: Int = 8,
    bandwidth: Double = 1e9, latency: Double = 0, wire: WireFormat = .f32
) -> StepPlan.Cluster {
    StepPlan.Cluster(
        workers: workers, hosts: hosts, threads: threads, tokensPerWorker: tokens, shards: shards,
        bandwidth: bandwidth, latency: latency, wire: wire)
}

@Suite struct StepPlanTests {
    @Test func `a lone worker computes, updates, and folds nothing that shows`() throws {
        let plan = StepPlan(constants: try constants(pass: 0, cores: 4), parameters: 1_000_000)
        let row = plan.row(cluster(1), .fold)
        #expect(abs(row.computeMilliseconds - 1000) < 1e-9)
        #expect(row.foldMilliseconds == 0 && row.updateMilliseconds == 0 && row.linkBytes == 0)
        // What the coordinator and its worker say to each other is all that is added.
        #expect(row.stepMilliseconds > 1000 && row.stepMilliseconds < 1003)
        #expect(row.efficiency == 1 && row.limit == .computing)
        // θ, m, v, the total, eight shards' gradients, and what a thread computes with.
        #expect(row.workerMegabytes == 12 * 4 + 1)
        let updated = StepPlan(constants: try constants(cores: 4), parameters: 1_000_000)
        #expect(abs(updated.row(cluster(1), .fold).updateMilliseconds - 4) < 1e-9)
    }

    @Test func `more threads than cores share them, more shards than others keep these waiting`()
        throws
    {
        let plan = StepPlan(constants: try constants(pass: 0, cores: 2), parameters: 1000)
        let two = plan.row(cluster(2), .fold).computeMilliseconds
        #expect(abs(two - 1000) < 1e-9)
        #expect(abs(plan.row(cluster(4), .fold).computeMilliseconds - 2 * two) < 1e-9)
        #expect(abs(plan.row(cluster(4, hosts: 2), .fold).computeMilliseconds - two) < 1e-9)
        // Of three workers two have 3 shards of 8, each of 3/8 of a worker's tokens.
        let three = plan.row(cluster(3, hosts: 3), .fold).computeMilliseconds
        #expect(abs(three - 3 * 3 / 8.0 * 1000) < 1e-9)
        // A second thread halves the rounds.
        let roomy = StepPlan(constants: try constants(pass: 0, cores: 8), parameters: 1000)
        #expect(abs(roomy.row(cluster(1, threads: 2), .fold).computeMilliseconds - 500) < 1e-9)
    }

    @Test func `links carry what the fold and the textbook ring say`() throws {
        let plan = StepPlan(constants: try constants(), parameters: 6400)
        let once = 4 * 6400
        #expect(plan.linkBytes(cluster(1), .ring) == 0)
        for collective in Collective.allCases {
            #expect(plan.linkBytes(cluster(2, hosts: 2), collective) == once)
        }
        func bytes(_ wire: WireFormat, _ collective: Collective) -> Int {
            plan.linkBytes(cluster(4, hosts: 2, wire: wire), collective)
        }
        #expect(bytes(.f32, .fold) == 2 * once)
        #expect(bytes(.f32, .ring) == once * 6 / 4)
        #expect(bytes(.bf16, .fold) == once)
        #expect(bytes(.int8, .fold) == 2 * (6400 + 100))
        // Within a host only totals that others have made, whatever is written between hosts.
        #expect(plan.linkBytes(cluster(2), .fold) == once / 2)
        #expect(plan.linkBytes(cluster(2, shards: 65), .fold) == once)
        #expect(plan.linkBytes(cluster(4, wire: .bf16), .fold) == once * 3 / 4)
        #expect(plan.linkBytes(cluster(4, wire: .bf16), .ring) == once * 6 / 4)
    }

    @Test func `a slow link is what limits, and what is sent less often or smaller is advised`()
        throws
    {
        let plan = StepPlan(constants: try constants(pass: 1e-11), parameters: 25_000_000)
        // 100 MB each way at 12.5 MB/s take 16 s behind a second of computing.
        let slow = cluster(4, hosts: 4, bandwidth: 12.5e6)
        let row = plan.row(slow, .fold)
        #expect(row.limit == .links)
        #expect(row.foldMilliseconds > 14_000 && row.foldMilliseconds < 18_000)
        #expect(row.efficiency < 0.1)
        #expect(plan.row(slow, .ring).stepMilliseconds < row.stepMilliseconds)
        var smaller = slow
        smaller.wire = .int8
        // The best comes first, each with what it brings.
        let advice = plan.advice(slow)
        let brought = try #require(advice.first { $0.words == "--wire int8" })
        #expect(brought.stepMilliseconds == plan.row(smaller, .fold).stepMilliseconds)
        #expect(brought.tokensPerSecond == plan.row(smaller, .fold).tokensPerSecond)
        #expect(
            ["--wire int8", "--wire bf16", "--collective ring"].allSatisfy { words in
                advice.contains { $0.words.hasPrefix(words) }
            })
        #expect(advice.map(\.tokensPerSecond) == advice.map(\.tokensPerSecond).sorted(by: >))
        #expect(advice.allSatisfy { $0.tokensPerSecond > row.tokensPerSecond })
        #expect(plan.row(smaller, .fold).foldMilliseconds < 0.3 * row.foldMilliseconds)
        // Where links are fast, computing limits, and there is nothing to advise.
        let fast = cluster(4, hosts: 4, bandwidth: 1e10)
        #expect(plan.row(fast, .fold).limit == .computing)
        #expect(plan.advice(fast).isEmpty)
    }

    @Test func `latency limits a long ring, and more work a worker helps most`() throws {
        let plan = StepPlan(constants: try constants(pass: 1e-11), parameters: 100_000)
        let long = cluster(1024, hosts: 1024, tokens: 100_000, shards: 1024, latency: 1e-3)
        let row = plan.row(long, .fold)
        #expect(row.limit == .length)
        #expect(row.foldMilliseconds >= 2 * 1023 * 0.9)
        let advice = plan.advice(long)
        #expect(try #require(advice.first).words.contains("larger batches"))
        // Smaller chunks are on their way a little shorter.
        #expect(advice.dropFirst().allSatisfy { $0.tokensPerSecond < 1.5 * row.tokensPerSecond })
    }

    @Test func `chunks are cut as the coordinator cuts them, between hosts alone`() throws {
        let plan = StepPlan(constants: try constants(pass: 0), parameters: 1_000_000)
        let hosts = cluster(64, hosts: 64, tokens: 1, shards: 64, bandwidth: 12.5e6)
        let fold = plan.row(hosts, .fold).foldMilliseconds
        // 4 MB twice take 640 ms, a chunk of 32 KiB over 63 links there and around 330 ms; of
        // 256 KiB it would be 2.6 s.
        #expect(fold > 640 && fold < 1100, "\(fold)")
    }

    @Test(arguments: [1, 2, 4, 8, 16, 64, 256, 1024])
    func `no figure of the table is out of the world`(workers: Int) throws {
        let plan = StepPlan(constants: try constants(pass: 1e-10), parameters: 7_600_000)
        var last = Double.infinity
        for bandwidth in [12.5e6, 125e6, 1.25e9, 12.5e9] {
            let some = cluster(
                workers, hosts: workers, shards: max(8, workers), bandwidth: bandwidth)
            for collective in Collective.allCases {
                let row = plan.row(some, collective)
                #expect(row.stepMilliseconds.isFinite && row.stepMilliseconds > 0)
                #expect(row.efficiency > 0 && row.efficiency <= 1.0001)
                let parts =
                    row.computeMilliseconds + row.foldMilliseconds + row.updateMilliseconds
                #expect(row.stepMilliseconds >= parts)
            }
            // A faster link never makes a step longer.
            let step = plan.row(some, .fold).stepMilliseconds
            #expect(step <= last)
            last = step
        }
    }

    @Test func `the time of a token comes from a run's metrics, or the run is refused`() throws {
        let folder =
            FileManager.default.temporaryDirectory.path + "/plan-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func rate(_ lines: [String], cores: Int = 4) throws -> Double {
            try lines.joined(separator: "\n").write(
                toFile: folder + "/metrics.jsonl", atomically: true, encoding: .utf8)
            return try PlanConstants.secondsPerToken(ofRun: folder, threads: 1, cores: cores)
        }
        func line(_ seconds: Double, _ workers: Int = 2) -> String {
            #"{"compute_s": \#(seconds), "tokens": 1000, "workers": \#(workers)}"#
        }
        // The median of three; two workers each compute half of the tokens.
        #expect(abs(try rate([line(9), line(0.5), line(0.4)]) - 1e-3) < 1e-12)
        // Four threads on two cores have half a core each.
        #expect(abs(try rate([line(0.5, 4)], cores: 2) - 1e-3) < 1e-12)
        #expect(throws: PlanError.self) { _ = try rate([#"{"loss": 1}"#, "nonsense"]) }
        #expect(throws: (any Error).self) {
            _ = try PlanConstants.secondsPerToken(ofRun: folder + "/none", threads: 1, cores: 1)
        }
    }
}
