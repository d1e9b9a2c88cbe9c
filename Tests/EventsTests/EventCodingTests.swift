import Events
import Foundation
import Testing

/// The JSON of events, as it has been since there are any: whoever renames a key breaks what reads
/// recordings. DTRAIN_WRITE_GOLDEN=1 writes the file.
@Suite struct EventCodingTests {
    static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Golden/events.jsonl")

    static func lines() throws -> [String] {
        let events = SampleReports.reports.enumerated().map { index, report in
            RunEvent(number: index + 2, time: 1_764_427_000.25, clock: 12.5, report)
        }
        return [SampleReports.prepared.trimmingCharacters(in: .whitespacesAndNewlines)]
            + (try events.map { String(decoding: try $0.json(), as: UTF8.self) })
    }

    @Test func `every event is coded in the JSON that is kept, and is the same when read`() throws {
        let lines = try Self.lines()
        if ProcessInfo.processInfo.environment["DTRAIN_WRITE_GOLDEN"] == "1" {
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: Self.file)
        }
        let kept = try String(contentsOf: Self.file, encoding: .utf8).split(separator: "\n")
        #expect(kept.count == lines.count)
        for (line, expected) in zip(lines, kept) {
            #expect(line == expected)
            let event = try RunEvent(json: Data(expected.utf8))
            #expect(String(decoding: try event.json(), as: UTF8.self) == expected)
        }
    }

    @Test func `the samples have every kind of report`() throws {
        let keys = try Self.lines().map { line in
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            return Set(object.keys).subtracting(["number", "time", "clock"])
        }
        #expect(keys.allSatisfy { $0.count == 1 })
        #expect(Set(keys.joined()) == Set(RunReport.kinds))
    }

    @Test(arguments: [
        "", "{}", #"{"number":1,"time":0,"clock":0}"#,
        #"{"number":1,"time":0,"clock":0,"unheard":1}"#,
        #"{"number":1,"time":0,"clock":0,"time_is_up":1,"ledger_recovered":2}"#,
        #"{"number":1,"time":0,"clock":0,"step":{"step":1}}"#,
    ])
    func `what is no event is refused`(text: String) {
        #expect(throws: DecodingError.self) { try RunEvent(json: Data(text.utf8)) }
    }
}
