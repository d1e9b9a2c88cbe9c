import Checkpoint
import Foundation
import Preparation
import Settings
import TestKit
import Testing
import Text

/// A run that goes on has the text that it began with, and reads it by the rules that it began with.
@Suite("A run knows its text again")
struct TextMemoryTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func configuration(
        _ settings: [(Setting, String)] = []
    ) throws -> RunConfiguration {
        var given = GivenSettings()
        let small: [(Setting, String)] = [
            (.corpus, folder.file("c.tsv").path), (.vocabulary, "48"), (.dModel, "32"),
            (.layers, "1"), (.dFF, "64"), (.heads, "2"), (.positions, "24"),
        ]
        for (setting, text) in small + settings { given.set(setting, text) }
        return try RunConfiguration(given)
    }

    @Test func `another text is refused, the same one elsewhere is welcome`() throws {
        try folder.write(TrainedRun.text, to: "c.tsv")
        let begun = try PreparedRun(configuration())
        let memory = TextMemory.saved(begun.savedText)
        try folder.write("\u{FEFF}" + TrainedRun.text.replacing("\n", with: " \r\n\n"), to: "d.tsv")
        let elsewhere = try PreparedRun(
            configuration([(.corpus, folder.file("d.tsv").path)]), memory: memory)
        #expect(elsewhere.training.samples == begun.training.samples)
        #expect(elsewhere.savedText.tokenizer == begun.savedText.tokenizer)
        try folder.write(TrainedRun.text.replacing("a dog", with: "one dog"), to: "c.tsv")
        #expect(throws: TextError.self) { try PreparedRun(configuration(), memory: memory) }
        #expect(
            try PreparedRun(configuration()).training.samples.count == begun.training.samples.count)
    }

    @Test func `without a memory the first rules hold, in a new run the last`() throws {
        let odd = "\u{200B}\t\u{200B}\n\u{200B}a cat\tun chat\u{FEFF}\na \u{2585}\tun \u{2585}\n"
        try folder.write(TrainedRun.text + odd, to: "c.tsv")
        let old = try PreparedRun(configuration(), memory: TextMemory.none)
        let new = try PreparedRun(configuration())
        #expect(old.summary.lines.dropped == 0 && new.summary.lines.dropped == 1)
        #expect(old.savedText.fingerprint.rules == .first)
        #expect(new.savedText.fingerprint.rules == .current)
        #expect(try old.tokenizer.encode("\u{2585}").contains(Tokenizer.unknown))
        #expect(try !new.tokenizer.encode("\u{2585}").contains(Tokenizer.unknown))
        let again = try PreparedRun(configuration(), memory: .saved(old.savedText))
        #expect(again.training.samples == old.training.samples)
    }

    @Test func `another tokenizer is refused`() throws {
        try folder.write(TrainedRun.text, to: "c.tsv")
        for (name, vocabulary) in [("a.model", "48"), ("b.model", "50")] {
            let prepared = try PreparedRun(configuration([(.vocabulary, vocabulary)]))
            try folder.write(Data(prepared.tokenizer.model), to: name)
        }
        func with(_ name: String, _ memory: TextMemory? = nil) throws -> PreparedRun {
            var given = try configuration()
            given.text.tokenizer = folder.file(name).path
            given.text.vocabulary = nil
            return try PreparedRun(given, memory: memory)
        }
        let memory = TextMemory.saved(try with("a.model").savedText)
        #expect(throws: Never.self) { try with("a.model", memory) }
        #expect(throws: TextError.otherTokenizer(file: folder.file("b.model").path)) {
            try with("b.model", memory)
        }
    }

    @Test func `the tokenizer may lie elsewhere, and is compared with the checkpoint's`() throws {
        try folder.write(TrainedRun.text, to: "c.tsv")
        let begun = try PreparedRun(configuration())
        let other = try PreparedRun(configuration([(.vocabulary, "50")]))
        try folder.write(Data(begun.tokenizer.model), to: "elsewhere.model")
        try folder.write(Data(other.tokenizer.model), to: "other.model")
        // A run of the first version keeps no digest of it.
        for memory in [TextMemory.saved(begun.savedText), .none] {
            func goingOn(_ name: String) throws -> PreparedRun {
                var given = try configuration()
                given.text.tokenizer = folder.file(name).path
                given.text.vocabulary = nil
                return try PreparedRun(given, memory: memory, tokenizer: begun.tokenizer)
            }
            #expect(throws: Never.self) { try goingOn("elsewhere.model") }
            #expect(throws: Never.self) { try goingOn("gone.model") }
            #expect(throws: TextError.otherTokenizer(file: folder.file("other.model").path)) {
                try goingOn("other.model")
            }
        }
    }

    @Test func `a vocabulary shrinks where nobody has asked for just so many pieces`() throws {
        try folder.write(TrainedRun.text, to: "c.tsv")
        let large = try configuration([(.vocabulary, "4000")])
        #expect(throws: TextError.self) { try PreparedRun(large) }
        let shrunk = try PreparedRun(large, mayShrink: true)
        #expect(shrunk.shrunkFrom == 4000)
        #expect(shrunk.configuration.text.vocabulary == shrunk.tokenizer.vocabulary)
        #expect(try PreparedRun(shrunk.configuration).tokenizer.model == shrunk.tokenizer.model)
    }

    @Test func `a folder's memory comes from its checkpoint, or from its own file`() throws {
        let run = try TrainedRun(in: folder, steps: [1])
        let paths = RunPaths(run.path)
        let checkpoint = try CheckpointFolder(run.checkpoint(1))
        #expect(try TextMemory(paths, checkpoint) == .saved(run.prepared.savedText))
        let losses: [(String?, FileFault)] = [(nil, .missing), ("", .empty), ("{ torn", .torn)]
        for (text, fault) in losses {
            if let text {
                try Data(text.utf8).write(to: URL(fileURLWithPath: paths.fingerprint))
            }
            #expect(try TextMemory(paths, checkpoint) == .saved(run.prepared.savedText))
            #expect(
                try TextMemory.repair(paths, checkpoint)
                    == .fingerprintLost(why: fault, checkpoint: checkpoint.path))
            #expect(try TextMemory(paths, nil) == .lost)
            #expect(
                try TextMemory.repair(paths, nil) == .fingerprintLost(why: fault, checkpoint: nil))
        }
        // Settings without a format are of the first version, which kept nothing.
        try run.prepared.configuration.yaml.write(
            toFile: paths.configuration, atomically: true, encoding: .utf8)
        #expect(try TextMemory(paths, nil) == .none)
        #expect(try TextMemory.repair(paths, nil) == nil)
    }
}
