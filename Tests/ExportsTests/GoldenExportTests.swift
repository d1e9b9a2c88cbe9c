import Checkpoint
import Exports
import Foundation
import Settings
import Testing

/// Bytes that the `ctranslate2` package has accepted: `cluster/check-exports golden` makes the same models by
/// commands, loads them, and holds them against the same file.
@Suite("Stored exports")
struct GoldenExportTests {
    static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Golden/exports.tsv")

    private func lines() throws -> [String] {
        var lines: [String] = []
        for (_, choices) in expressible {
            let exported = try Exported(choices)
            let words = choices.map { "\($0.0.rawValue)=\($0.1)" }.joined(separator: " ")
            for numbers in NumberType.allCases {
                let name = "model-\(numbers.rawValue)"
                try exported.write(CTranslate2Format(numbers), to: name)
                let digest = SHA256.digest(try exported.bytes("\(name)/model.bin"))
                lines.append(
                    "\(words.isEmpty ? "default=" : words)\t\(numbers.rawValue)\t\(digest)")
            }
        }
        return lines
    }

    @Test func `have the bytes that CTranslate2 has accepted`() throws {
        let head = "# choices, number type, SHA-256 of model.bin; see GoldenExportTests.swift"
        let text = ([head] + (try lines())).joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["DTRAIN_WRITE_GOLDEN"] == "1" {
            try text.write(to: Self.file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: Self.file, encoding: .utf8) == text)
    }
}
