import Foundation
import TestKit
import Testing

@Suite struct AllReduceBenchmarkTests {
    private struct Row: Decodable {
        let bytes, workers, iterations, wrong, linkBytes: Int
        let transport, collective: String
        let us, p99Us, algbwGbs, busbwGbs, cpuSPerGb: Double
    }

    @Test(arguments: [
        ("fold", "ipc", 3), ("ring", "tcp", 3), ("fold", "auto", 1), ("fold", "auto", 2),
        ("ring", "shared", 3),
    ])
    func `real processes sum exactly, and links carry what the model says`(
        collective: String, transport: String, workers: Int
    ) throws {
        let folder = FileManager.default.temporaryDirectory
        let outcome = try Program().run(
            [
                "bench", "all-reduce", "--workers", "\(workers)", "--bytes", "1024,600000",
                "--transport", transport, "--collective", collective, "--json",
            ], in: folder)
        try #require(outcome.code == 0, "\(outcome.errors)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let rows = try outcome.output.split(separator: "\n").map {
            try decoder.decode(Row.self, from: Data($0.utf8))
        }
        #expect(rows.map(\.bytes) == [1024, 600_000])
        for row in rows {
            #expect(row.wrong == 0 && row.workers == workers && row.collective == collective)
            #expect(row.iterations >= 100 && row.p99Us >= row.us && row.us > 0)
            let lane = workers == 1 ? "none" : transport == "auto" ? "shared" : transport
            #expect(row.transport == lane)
            // The fold's busiest link carries partials and totals, with two workers either; the
            // textbook ring's carry 2(W−1)/W of the vector each. Headers come on top.
            let model =
                workers == 1
                ? 0
                : collective == "fold" && workers > 2
                    ? 2.0 : 2 * Double(workers - 1) / Double(workers)
            let frames = Double(row.linkBytes) - model * Double(row.bytes)
            #expect(frames >= 0 && frames < 1024)
        }
    }
}
