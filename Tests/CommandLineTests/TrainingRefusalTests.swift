import Checkpoint
import Foundation
import Settings
import TestKit
import Testing

@Suite("What train refuses before it starts")
struct TrainingRefusalTests {
    let program: Program
    let folder: TemporaryFolder

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
    }

    func dtrain(_ line: String) throws -> Program.Outcome {
        try program.run(line.split(separator: " ").map(String.init), in: folder.url)
    }

    static let long = String(repeating: "w ", count: 40)
    static let pairs = (0..<60).map { "source sentence \($0)\tphrase cible \($0)\n" }.joined()

    static let unfit: [(bytes: [UInt8], words: [String])] = [
        ([], ["bad.tsv is empty"]),
        (Array("a\tb\nno tab\n".utf8), ["bad.tsv, line 2, has no tab"]),
        (Array("a\tb\tc\n".utf8), ["bad.tsv, line 1, has 2 tabs"]),
        (Array("a\tb\nc\t".utf8) + [0xC3, 0x28, 0x0A], ["bad.tsv, line 2, is not UTF-8"]),
        ("a\tb\n".utf8.flatMap { [$0, 0] }, ["bad.tsv is UTF-16", "iconv -f UTF-16LE"]),
        (Array("a\tb\nc\0\td\n".utf8), ["bad.tsv, line 2, has a NUL at byte 2"]),
        (Array(" \t \n".utf8), ["bad.tsv", "no pair to train on"]),
        (
            Array("\(pairs)a b\t\(long)\n".utf8),
            ["bad.tsv, line 61, has a sentence of", "32 positions", "--too-long skip"]
        ),
    ]

    @Test(arguments: unfit)
    func `text that cannot be learned, with file and line`(
        bytes: [UInt8], words: [String]
    ) throws {
        try folder.write(Data(bytes), to: "bad.tsv")
        let outcome = try dtrain(
            "train --corpus bad.tsv --vocabulary 40 --positions 32 --too-long stop --run run")
        expectRefusal(outcome, code: 65, words: words)
        #expect(try folder.entries == ["bad.tsv"], "something was left behind")
    }

    @Test func `files that are not there`() throws {
        try folder.write(Self.pairs, to: "pairs.tsv")
        for flag in ["--corpus", "--validation", "--tokenizer", "--source pairs.tsv --target"] {
            let corpus =
                flag == "--corpus" || flag.hasPrefix("--source") ? "" : "--corpus pairs.tsv "
            expectRefusal(
                try dtrain("train \(corpus)--warmup 40 \(flag) absent.tsv"), code: 74,
                words: ["absent.tsv cannot be", "No such file"])
        }
        expectRefusal(
            try dtrain("train --corpus pairs.tsv --from absent"), code: 64, words: ["absent"])
        #expect(try folder.entries == ["pairs.tsv"])
    }

    @Test func `files that do not fit each other`() throws {
        try folder.write("one\ntwo\n", to: "a.en")
        try folder.write("un\n", to: "a.fr")
        expectRefusal(
            try dtrain("train --source a.en --target a.fr"), code: 65,
            words: ["a.en has 2 lines", "a.fr has 1"])
    }

    @Test func `a vocabulary that the text does not fill, with the largest that it does`() throws {
        try folder.write(Self.pairs, to: "pairs.tsv")
        let outcome = try dtrain("train --corpus pairs.tsv --vocabulary 5000")
        expectRefusal(outcome, code: 65, words: ["--vocabulary 5000", "at most"])
        let numbers = outcome.errors.matches(of: /at most (\d+)/).map { String($0.1) }
        let largest = try #require(numbers.first)
        let fits = try dtrain("train --corpus pairs.tsv --vocabulary \(largest) --dry-run")
        #expect(fits.code == 0, "\(fits.errors)")
    }

    @Test func `a tokenizer that is none`() throws {
        try folder.write(Self.pairs, to: "pairs.tsv")
        expectRefusal(
            try dtrain("train --corpus pairs.tsv --tokenizer pairs.tsv"), code: 65,
            words: ["pairs.tsv is no SentencePiece model"])
        // A character map that leads out of itself: the library would read whatever lies there.
        let map: [UInt8] = [4, 0, 0, 0, 0, 0, 0, 0x80, 0]
        let spec = [0x12, UInt8(map.count)] + map
        let model = Data([0x1A, UInt8(spec.count)] + spec)
        try model.write(to: folder.file("damaged.model"))
        expectRefusal(
            try dtrain("train --corpus pairs.tsv --tokenizer damaged.model"), code: 65,
            words: ["damaged.model is no SentencePiece model or a damaged one (byte 5)"])
    }

    @Test(arguments: ["train", "coordinator"])
    func `a port in use`(command: String) throws {
        let port = try ListeningPort()
        try folder.write(Self.pairs, to: "pairs.tsv")
        let line =
            "\(command) --corpus pairs.tsv --vocabulary 40 --run run "
            + "--bind tcp://127.0.0.1:\(port.number)"
        expectRefusal(
            try dtrain(line), code: 74, words: ["127.0.0.1:\(port.number) is in use", "--bind"])
    }

    @Test func `a run folder that a living coordinator holds`() throws {
        let held = try RunFolder.create(folder.file("run").path)
        try held.save(configuration: RunConfiguration(GivenSettings()).yaml, writer: "test")
        try folder.write(Self.pairs, to: "pairs.tsv")
        expectRefusal(
            try dtrain("train --run run --resume"), code: 64, words: ["run is in use by"])
        expectRefusal(
            try dtrain("train --run run"), code: 64, words: ["not empty", "--resume"])
        withExtendedLifetime(held) {}
    }

    @Test func `a dry run says what there would be and leaves nothing`() throws {
        let outcome = try dtrain("train --dry-run")
        #expect(outcome.code == 0)
        for words in ["parameters", "steps an epoch", " MB", "all steps"] {
            #expect(outcome.output.contains(words), "\(outcome.output)")
        }
        let giant = try dtrain("train --dry-run --d-model 16384 --layers 256 --d-ff 65536")
        #expect(giant.code == 0 && giant.output.contains("more than this host's memory holds"))
        #expect(try folder.entries == [])
    }
}

@Suite("Training from the command line")
struct TrainingTests {
    @Test func `a reader of the log that goes away does not end the run`() throws {
        let folder = try TemporaryFolder()
        try folder.write(TrainedRun.text, to: "pairs.tsv")
        let program = try Program()
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.currentDirectoryURL = folder.url
        shell.arguments = [
            "-c",
            """
            { '\(program.executable.path)' train --corpus pairs.tsv --validation pairs.tsv \
            --vocabulary 48 --d-model 32 --layers 1 --d-ff 64 --heads 2 --steps 20 --log-every 1 \
            --batch-tokens 200 --run run > output; echo $? > code; } 2>&1 | head -n 1
            """,
        ]
        shell.standardOutput = FileHandle.nullDevice
        try shell.run()
        shell.waitUntilExit()
        #expect(try String(contentsOf: folder.file("code"), encoding: .utf8) == "0\n")
        let output = try String(contentsOf: folder.file("output"), encoding: .utf8)
        #expect(output.contains("reference  ") && output.contains("BLEU"))
        let last = output.split(separator: "\n").last ?? ""
        #expect(last.contains(/^step 20 digest [0-9a-f]{64}$/), "\(output)")
        #expect(
            FileManager.default.fileExists(
                atPath: folder.path + "/run/checkpoints/step-000020/manifest.json"))
    }
}

/// A loopback port that somebody listens on.
final class ListeningPort {
    let number: UInt16
    private let descriptor: Int32

    init() throws {
        (descriptor, number) = try loopbackSocket()
        guard listen(descriptor, 1) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    deinit { close(descriptor) }
}
