import Foundation
import TestKit
import Testing

/// The run folders of older versions under `Tests/Folders`: this one inspects, uses, verifies and
/// resumes them, with the outputs and digests that the version that made them had.
@Suite("Folders of older versions")
struct OldFolderTests {
    struct Facts: Decodable {
        struct Resumed: Decodable {
            let steps: Int
            let last: String
        }
        let step: Int
        let digest: String
        let ledger: Int
        let translate: String?
        let generate: String?
        let resumed: Resumed
    }

    private struct Expected: Decodable { let folders: [String: Facts] }

    /// Where these folders and their text lie.
    static let place = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Folders")
    /// The folder that their settings name.
    static let home = "/tmp/dtrain-folders"

    let program: Program
    let folder: TemporaryFolder

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            at: Self.place.appendingPathComponent("text"), to: folder.file("text"))
    }

    /// Git keeps neither the mode of secrets nor where the text lies.
    private func copy(_ name: String, of version: String) throws {
        let source = Self.place.appendingPathComponent("\(version)/\(name)")
        var files = try RunFiles(folder: source.path).snapshot
        let settings = String(decoding: files["configuration.yaml"]!, as: UTF8.self)
        #expect(settings.contains(Self.home))
        files["configuration.yaml"] = Data(
            settings.replacing(Self.home, with: folder.path).utf8)
        try RunFiles(folder: folder.file(name).path).restore(files)
    }

    private func run(_ arguments: String...) throws -> Program.Outcome {
        try program.run(arguments, in: folder.url)
    }

    @Test(
        arguments: ["first"],
        ["pairs-finished", "pairs-killed", "lm-finished", "lm-stopped"])
    func `a folder is inspected, used, verified and gone on with`(
        version: String, name: String
    ) throws {
        let table = try Data(
            contentsOf: Self.place.appendingPathComponent("\(version)/expected.json"))
        let facts = try #require(
            JSONDecoder().decode(Expected.self, from: table).folders[name])
        try copy(name, of: version)
        let inspected = try run("inspect", name)
        #expect(inspected.code == 0, "\(inspected.errors)")
        #expect(inspected.output.contains(facts.digest), "\(inspected.output)")
        if let translation = facts.translate {
            let outcome = try run("translate", "--run", name, "--threads", "1", "text/lines.txt")
            #expect(outcome.code == 0 && outcome.output == translation, "\(outcome.errors)")
        }
        if let text = facts.generate {
            let outcome = try run(
                "generate", "--run", name, "--prompt", "The old", "--temperature", "0", "--length",
                "12", "--threads", "1")
            #expect(outcome.code == 0 && outcome.output == text, "\(outcome.errors)")
        }
        let verified = try run("verify", name, "--threads", "1")
        #expect(verified.code == 0 && verified.output.contains("\(facts.ledger) agree"))
        let resumed = try run(
            "train", "--resume", "--run", name, "--steps", "\(facts.resumed.steps)", "--threads",
            "1", "--quiet")
        #expect(resumed.code == 0, "\(resumed.errors)")
        #expect(resumed.output.hasSuffix(facts.resumed.last + "\n"), "\(resumed.output)")
        // From now on it has this version's forms, and is verified as a whole all the same.
        let again = try run("verify", name, "--threads", "1")
        #expect(again.code == 0, "\(again.errors)")
    }
}
