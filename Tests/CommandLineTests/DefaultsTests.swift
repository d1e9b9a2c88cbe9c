import Foundation
import Settings
import TestKit
import Testing

@Suite("Flags and settings")
struct DefaultsTests {
    @Test(arguments: ["train", "coordinator"])
    func `every setting is a flag whose help shows its default`(command: String) throws {
        let folder = try TemporaryFolder()
        let outcome = try Program().run(
            [command, "--help"], in: folder.url, environment: ["COLUMNS": "1000"])
        let lines = outcome.output.split(separator: "\n")
        for setting in Setting.allCases {
            let index = try #require(
                lines.firstIndex { line in
                    // With its opposite where it has one: `--balance/--no-balance`.
                    ["  \(setting.flag) ", "  \(setting.flag)/"].contains { line.contains($0) }
                }, "\(setting.flag)")
            guard let text = setting.defaultText else { continue }
            // The help stands beside a short flag and below a long one.
            let shown = lines[index...].prefix(2).contains { $0.hasSuffix("(default: \(text))") }
            #expect(shown, "\(setting.flag)")
        }
    }
}
