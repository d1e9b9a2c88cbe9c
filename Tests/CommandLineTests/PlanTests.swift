import Foundation
import TestKit
import Testing

@Suite struct PlanTests {
    private struct Row: Decodable {
        let workers, hosts: Int
        let collective: String
        let stepMs, efficiency: Double
    }

    private func plan(_ words: [String]) throws -> (code: Int32, output: String, errors: String) {
        let outcome = try Program().run(
            ["plan", "--preset", "tiny", "--vocabulary", "500", "--batch", "4"] + words,
            in: FileManager.default.temporaryDirectory)
        return (outcome.code, outcome.output, outcome.errors)
    }

    @Test func `plan prints a row for each size and collective, up to 1,024 workers`() throws {
        let outcome = try plan(["--workers", "3", "--hosts", "3", "--json"])
        try #require(outcome.code == 0, "\(outcome.errors)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let rows = try outcome.output.split(separator: "\n").map {
            try decoder.decode(Row.self, from: Data($0.utf8))
        }
        #expect(
            rows.filter { $0.collective == "fold" }.map(\.workers)
                == [1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
        #expect(rows.filter { $0.collective == "ring" }.count == 11)
        #expect(rows.allSatisfy { $0.stepMs > 0 && $0.efficiency > 0 && $0.hosts > 0 })
    }

    @Test func `what plan cannot use is refused in one sentence, before anything is measured`()
        throws
    {
        let folder = FileManager.default.temporaryDirectory.path
        for (words, code, part) in [
            (["--bandwidth", "fast"], 64, "--bandwidth"), (["--latency", "3"], 64, "--latency"),
            (["--hosts", "3"], 64, "--hosts 3"), (["--workers", "9"], 64, "raise --shards"),
            (["--measured", folder + "/no-run"], 74, "run folder"),
        ] as [([String], Int32, String)] {
            let outcome = try plan(words)
            #expect(outcome.code == code, "\(words): \(outcome.errors)")
            #expect(outcome.errors.contains(part) && outcome.output.isEmpty)
            #expect(outcome.errors.split(separator: "\n").count == 1)
        }
    }
}
