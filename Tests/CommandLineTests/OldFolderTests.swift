import Foundation
import TestKit
import Testing

/// The run folders of older versions under `Tests/Folders`: this one inspects and uses them with the
/// outputs that the version that made them had; verifies and resumes those of its own arithmetic.
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

    static let names = ["pairs-finished", "pairs-killed", "lm-finished", "lm-stopped"]

    private func facts(of name: String, _ version: String) throws -> Facts {
        let table = try Data(
            contentsOf: Self.place.appendingPathComponent("\(version)/expected.json"))
        return try #require(JSONDecoder().decode(Expected.self, from: table).folders[name])
    }

    @Test(arguments: ["first", "second"], names)
    func `a folder is inspected and used`(version: String, name: String) throws {
        let facts = try facts(of: name, version)
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
    }

    @Test(arguments: names)
    func `a folder of the same arithmetic is verified and gone on with`(name: String) throws {
        let facts = try facts(of: name, "second")
        try copy(name, of: "second")
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

    /// The first took logarithms and powers from the C library.
    @Test(arguments: names)
    func `a run of another arithmetic is only begun from`(name: String) throws {
        try copy(name, of: "first")
        let before = try RunFiles(folder: folder.file(name).path).snapshot
        for refused in [
            try run("verify", name, "--threads", "1"),
            try run("train", "--resume", "--run", name, "--steps", "99", "--threads", "1"),
        ] {
            #expect(refused.code == 65)
            #expect(refused.errors.contains("arithmetic 1 and this program's is 2"))
            #expect(refused.errors.contains("dtrain train --from"), "\(refused.errors)")
        }
        #expect(try RunFiles(folder: folder.file(name).path).snapshot == before)
        let begun = try run(
            "train", "--config", "\(name)/configuration.yaml", "--from", name, "--run", "next",
            "--steps", "2", "--threads", "1", "--quiet")
        #expect(begun.code == 0 && begun.output.contains("step 2 digest"), "\(begun.errors)")
        #expect(try run("verify", "next", "--threads", "1").code == 0)
    }
}
