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
        ("fold", "shared", 3), ("ring", "shared", 3),
    ])
    func `real processes sum exactly, and links carry what the model says`(
        collective: String, transport: String, workers: Int
    ) throws {
        let folder = FileManager.default.temporaryDirectory
        let outcome = try Program().run(
            [
                "bench", "all-reduce", "--workers", "\(workers)", "--bytes", "1024,\(whole)",
                "--transport", transport, "--collective", collective, "--json",
            ], in: folder)
        try #require(outcome.code == 0, "\(outcome.errors)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let rows = try outcome.output.split(separator: "\n").map {
            try decoder.decode(Row.self, from: Data($0.utf8))
        }
        #expect(rows.map(\.bytes) == [1024, whole])
        for row in rows {
            #expect(row.wrong == 0 && row.workers == workers && row.collective == collective)
            #expect(row.iterations >= 100 && row.p99Us >= row.us && row.us > 0)
            let lane = workers == 1 ? "none" : transport == "auto" ? "shared" : transport
            #expect(row.transport == lane)
            let model = model(collective, transport, workers, row.bytes)
            // Headers come on top.
            let frames = Double(row.linkBytes) - model * Double(row.bytes)
            #expect(frames >= 0 && frames < 6000)
        }
    }

    /// 24 chunks: as many for each worker.
    private let whole = 24 * 256 << 10

    /// The fold's busiest link carries partials and totals, with two workers either, within a host
    /// totals that others have made; the textbook ring's carry 2(W−1)/W of the vector each.
    private func model(
        _ collective: String, _ transport: String, _ workers: Int, _ bytes: Int
    ) -> Double {
        let share = Double(workers - 1) / Double(workers)
        switch (collective, transport) {
        case _ where workers == 1: return 0
        case ("fold", "auto"), ("fold", "shared"): return bytes < 2048 ? 1 : share
        case ("fold", _) where workers > 2: return 2
        default: return 2 * share
        }
    }
}
