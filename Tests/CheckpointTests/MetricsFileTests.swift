import Checkpoint
import Testing

@Suite struct MetricsFileTests {
    struct Measurement: Codable {
        let step: Int
        let loss: Double
    }

    @Test("lines follow each other across openings, a torn last one is cut")
    func appended() throws {
        let folder = TemporaryFolder()
        let first = try MetricsFile(folder("metrics.jsonl"))
        try first.append(Measurement(step: 1, loss: 0.5))
        _ = folder.write("metrics.jsonl", folder.read("metrics.jsonl") + Array("{\"lo".utf8))
        let second = try MetricsFile(folder("metrics.jsonl"))
        #expect(first.cutBytes == 0 && second.cutBytes == 4)
        try second.append(Measurement(step: 2, loss: .nan))
        let text = String(decoding: folder.read("metrics.jsonl"), as: UTF8.self)
        #expect(text == "{\"loss\":0.5,\"step\":1}\n{\"loss\":\"nan\",\"step\":2}\n")
    }

    @Test("a file without a single newline is cut to nothing")
    func onlyTorn() throws {
        let folder = TemporaryFolder()
        _ = folder.write("metrics.jsonl", [1, 2, 3])
        #expect(try MetricsFile(folder("metrics.jsonl")).cutBytes == 3)
        #expect(folder.read("metrics.jsonl") == [])
    }
}
