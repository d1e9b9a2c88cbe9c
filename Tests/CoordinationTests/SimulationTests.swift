import Foundation
import Simulation
import Testing

/// Whole trainings under seeded chaos. DTRAIN_SIM_SEED replays one seed with its trace,
/// DTRAIN_SIM_SEEDS sets how many are tried.
@Suite struct SimulationTests {
    static let environment = ProcessInfo.processInfo.environment
    static let seeds = environment["DTRAIN_SIM_SEEDS"].flatMap { Int($0) } ?? 500

    @Test func `whatever happens, the run ends with the undisturbed run's bits`() {
        if let seed = Self.environment["DTRAIN_SIM_SEED"].flatMap({ UInt64($0) }) {
            return replay(seed)
        }
        var failed = 0
        var lives = 0
        var spans = 0
        var slowest = (seconds: 0.0, seed: UInt64(0))
        for seed in 1...UInt64(Self.seeds) {
            let report = Simulator.run(seed: seed)
            if report.seconds > slowest.seconds { slowest = (report.seconds, seed) }
            lives += report.coordinators
            spans += report.spans
            guard let violation = report.violation else { continue }
            failed += 1
            Issue.record("seed \(seed): \(violation); DTRAIN_SIM_SEED=\(seed) shows its trace")
        }
        print("\(lives) coordinators, \(spans) spans")
        #expect(spans > 20 * Self.seeds)
        print("\(Self.seeds) seeds, \(failed) failed, slowest \(slowest)")
    }

    @Test(
        "a seed that once failed ends well",
        arguments: [
            // A second stop while the end itself waited for the ledger.
            11_523,
            // Four bits of memory changed in one step.
            12_493,
        ] as [UInt64])
    func mended(seed: UInt64) { #expect(Simulator.run(seed: seed).violation == nil) }

    @Test(
        "a known mistake, switched on, is found", arguments: Canary.allCases)
    func canary(_ canary: Canary) throws {
        let found = (1...UInt64(500)).first {
            Simulator.run(seed: $0, canary: canary).violation != nil
        }
        let seed = try #require(found)
        let report = Simulator.run(seed: seed, canary: canary)
        print("\(canary) is found by seed \(seed): \(report.violation ?? "")")
        #expect(Simulator.run(seed: seed).violation == nil)
    }

    @Test(
        "of each kind of fault, twenty times, the right one is named",
        arguments: Blame.Kind.allCases)
    func blame(_ kind: Blame.Kind) {
        for seed in 1...UInt64(20) {
            let blame = Blame.run(kind, seed: seed)
            #expect(
                blame.isRight,
                "\(kind), seed \(seed): named \(blame.named), not \(blame.guilty); \(blame.violation ?? "")"
            )
        }
    }

    @Test func `a seed replays event by event`() {
        let first = Simulator.run(seed: 7, tracing: true)
        let second = Simulator.run(seed: 7, tracing: true)
        #expect(first.trace.count > 100)
        #expect(first.trace == second.trace)
    }

    private func replay(_ seed: UInt64) {
        let report = Simulator.run(seed: seed, tracing: true)
        print(report.trace.joined(separator: "\n"))
        #expect(report.violation == nil)
    }
}
