import Foundation
import Simulation
import TestKit
import Testing

@Suite("The command simulate")
struct SimulateTests {
    private struct Report: Decodable {
        struct Failed: Decodable { let seed: UInt64 }
        let seeds, faults, coordinators: Int
        let failed: [Failed]
    }

    let program: Program
    let folder: TemporaryFolder

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
    }

    func simulate(_ line: String) throws -> Program.Outcome {
        let arguments = ["simulate"] + line.split(separator: " ").map(String.init)
        return try program.run(arguments, in: folder.url)
    }

    private func report(_ line: String) throws -> Report {
        let outcome = try simulate(line + " --json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        return try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    }

    @Test func `a few seeds end well and are counted`() throws {
        let report = try report("--seeds 21..40")
        #expect(report.seeds == 20 && report.failed.isEmpty)
        #expect(report.faults >= 20 && report.coordinators >= 20)
        let outcome = try simulate("--seeds 20 --threads 1")
        #expect(outcome.code == 0 && outcome.output.hasPrefix("20 seeds ended with"))
    }

    @Test(arguments: Canary.names)
    func `every known mistake is found, and by the seed that it names`(name: String) throws {
        let seed = try #require(try report("--seeds 500 --canary \(name)").failed.first?.seed)
        let trace = try simulate("--trace \(seed) --canary \(name)")
        #expect(trace.code == 0 && trace.output.contains("VIOLATION"))
        let sound = try simulate("--trace \(seed)")
        #expect(sound.code == 0 && !sound.output.contains("VIOLATION"))
    }

    @Test func `a mistake that no seed meets ends with 1`() throws {
        // Few seeds get an old frame to where it could be counted.
        let name = "counts-stale-frames"
        var outcome: Program.Outcome?
        for seed in 1...50 where outcome == nil {
            let tried = try simulate("--seeds \(seed)..\(seed) --canary \(name)")
            if tried.code != 0 { outcome = tried }
        }
        expectRefusal(try #require(outcome), code: 1, words: ["none of 1 seeds", name])
    }

    @Test(arguments: [
        ("--seeds 0", "--seeds 0"), ("--seeds 5..1", "--seeds"), ("--canary none", "--canary"),
        ("--trace x", "--trace"),
    ])
    func `what it does not take is refused with 64`(line: String, words: String) throws {
        expectRefusal(try simulate(line), code: 64, words: [words])
    }
}
