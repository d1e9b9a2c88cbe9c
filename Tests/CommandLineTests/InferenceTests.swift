import Foundation
import TestKit
import Testing

@Suite("Using a trained model")
struct InferenceTests {
    let program: Program
    let folder: TemporaryFolder
    let run: TrainedRun

    /// Trained once; every test has a copy.
    private static let trained = Result {
        let folder = try TemporaryFolder()
        return (folder: folder, run: try TrainedRun(in: folder, steps: [60, 120]))
    }

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
        run = try Self.trained.get().run.copied(to: folder)
    }

    func dtrain(_ line: String, input: String = "") throws -> Program.Outcome {
        try program.run(
            line.split(separator: " ").map(String.init), in: folder.url, input: input)
    }

    func object(_ outcome: Program.Outcome) throws -> [String: Any] {
        #expect(outcome.code == 0 && outcome.errors == "", "\(outcome.errors)")
        let line = try #require(outcome.output.split(separator: "\n").last)
        return try #require(
            JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test func `a learned text is translated, one output line an input line`() throws {
        let input = "the cat sleeps quite well\n\nA DOG runs\r\nthe dog eats quite well"
        let greedy = try dtrain("translate --run run", input: input)
        #expect(greedy.errors == "" && greedy.code == 0)
        let lines = greedy.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 5 && lines[1] == "" && lines[4] == "")
        #expect(
            lines[0] == "le chat dort assez bien" && lines[3] == "le chien mange assez bien",
            "\(greedy.output)")
        let file = try folder.write(input, to: "in.txt")
        let beam = try dtrain("translate --run run/checkpoints/step-000120 --beam 4 \(file)")
        #expect(
            beam.output.hasPrefix("le chat dort assez bien\n\n"), "\(beam.output)\(beam.errors)")
    }

    @Test func `the best translations come in order, the first is the one that a beam gives`()
        throws
    {
        let input = "the cat sleeps quite well\n\na dog runs quite well\n"
        let usual = try dtrain("translate --run run --beam 4", input: input)
        let outcome = try dtrain("translate --run run --beam 4 --n-best 3", input: input)
        #expect(outcome.code == 0 && outcome.errors == "", "\(outcome.errors)")
        let rows = outcome.output.split(separator: "\n").map { $0.components(separatedBy: " ||| ") }
        #expect(rows.allSatisfy { $0.count == 3 }, "\(outcome.output)")
        for (number, line) in usual.output.split(separator: "\n", omittingEmptySubsequences: false)
            .prefix(3).enumerated()
        {
            let own = rows.filter { $0[0] == "\(number)" }
            #expect(own.first?[1] == String(line))
            #expect(own.count == (line.isEmpty ? 1 : 3), "\(own)")
            let scores = own.compactMap { Double($0[2]) }
            #expect(scores.count == own.count && scores == scores.sorted(by: >), "\(scores)")
            #expect(Set(own.map { $0[1] }).count == own.count, "\(own)")
        }
    }

    @Test func `scores, lengths and penalties are as asked for`() throws {
        let input = "the cat sleeps quite well"
        let scored = try dtrain("translate --run run --scores --length-penalty none", input: input)
        let parts = scored.output.split(separator: "\t")
        #expect(parts.count == 2 && parts[1] == "le chat dort assez bien\n", "\(scored.output)")
        let json = try object(
            dtrain("translate --run run --json --length-penalty power:1", input: input))
        let first = try #require((json["translations"] as? [[String: Any]])?.first)
        let (score, sum) = (first["score"] as? Double, first["log_probability"] as? Double)
        #expect(first["text"] as? String == "le chat dort assez bien")
        #expect(try #require(Double(parts[0])).distance(to: try #require(sum)).magnitude < 1e-3)
        #expect(try #require(score) > #require(sum))
        let short = try dtrain("translate --run run --max-length 2", input: input)
        let long = try dtrain("translate --run run --min-length 20 --max-length 20", input: input)
        #expect(short.output.count < "le chat dort assez bien\n".count, "\(short.output)")
        #expect(long.output.count > "le chat dort assez bien\n".count, "\(long.output)")
    }

    @Test(
        arguments: [
            ("--beam 2 --n-best 3", "raise --beam to 3"),
            ("--n-best 1 --scores", "leave --scores out"),
            ("--json --scores", "leave --scores out"),
            ("--length-penalty gnmt", "takes gnmt:α"),
            ("--length-penalty power:-1", "takes gnmt:α"),
            ("--min-length 5 --max-length 4", "lower it"),
        ])
    func `a search that cannot be made is refused in a sentence`(options: String, phrase: String)
        throws
    {
        let outcome = try dtrain("translate --run run \(options)", input: "the cat")
        #expect(outcome.code == 64 && outcome.output == "", "\(outcome.errors)")
        #expect(
            outcome.errorLines.count == 1 && outcome.errors.contains(phrase), "\(outcome.errors)")
    }

    @Test func `a line that cannot be translated leaves its place empty and ends with 65`() throws {
        let long = Array(repeating: "cat", count: 50).joined(separator: " ")
        let outcome = try dtrain(
            "translate --run run",
            input: "the cat sleeps quite well\n\(long)\nthe dog eats quite well\n")
        #expect(outcome.code == 65)
        #expect(outcome.output == "le chat dort assez bien\n\nle chien mange assez bien\n")
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.errors.contains("standard input, line 2, has"), "\(outcome.errors)")
    }

    @Test func `threads change nothing`() throws {
        let sources = TrainedRun.text.split(separator: "\n").map { $0.prefix { $0 != "\t" } + "\n" }
        let file = try folder.write(String(repeating: sources.joined(), count: 12), to: "in.txt")
        let one = try dtrain("translate --run run --threads 1 \(file)")
        let three = try dtrain("translate --run run --threads 3 \(file)")
        #expect(one.code == 0 && one.output == three.output)
        let loss = try ["1", "3"].map { threads in
            try #require(
                object(dtrain("evaluate --run run --json --threads \(threads)"))["loss"]
                    as? Double)
        }
        #expect(loss[0] == loss[1])
    }

    @Test func `evaluate says loss, perplexity and BLEU of any pairs`() throws {
        let own = try object(dtrain("evaluate --run run --json"))
        let loss = try #require(own["loss"] as? Double)
        #expect(abs(try #require(own["perplexity"] as? Double) - exp(loss)) < 1e-9)
        #expect(try #require(own["bleu"] as? Double) > 90)
        #expect(own["step"] as? Int == 120)
        try folder.write("the cat sleeps quite well\tun chien court assez bien\n", to: "other.tsv")
        let other = try object(dtrain("evaluate --run run --json --corpus other.tsv"))
        #expect(try #require(other["loss"] as? Double) > loss)
        #expect(try dtrain("evaluate --run run").output.contains("\nBLEU "))
    }

    @Test func `inspect says what a checkpoint holds`() throws {
        let json = try object(dtrain("inspect run --json"))
        #expect(json["step"] as? Int == 120)
        #expect((json["digest"] as? String)?.count == 64)
        #expect(json["parameters"] as? Int == run.prepared.model.layout.count)
        let architecture = try #require(json["architecture"] as? [String: Any])
        #expect(architecture["d_model"] as? Int == 32 && architecture["norm"] as? String == "pre")
        let table = try dtrain("inspect run/checkpoints/step-000060").output
        #expect(table.contains("step          60,"))
        for slot in run.prepared.model.layout.slots {
            #expect(table.contains("\n\(slot.name) "), "\(slot.name)")
        }
    }

    enum Harm: CaseIterable { case flip, cut, remove, manifest }

    @Test(arguments: Harm.allCases)
    func `a damaged checkpoint is passed over and named`(harm: Harm) throws {
        let file = harm == .manifest ? "manifest.json" : "model.safetensors"
        let url = URL(fileURLWithPath: run.checkpoint(120) + "/" + file)
        var bytes = try Data(contentsOf: url)
        switch harm {
        case .flip: bytes[bytes.count - 5] ^= 1
        case .cut, .manifest: bytes.removeLast(7)
        case .remove: break
        }
        if harm == .remove {
            try FileManager.default.removeItem(at: url)
        } else {
            try bytes.write(to: url)
        }
        let outcome = try dtrain("inspect run --json")
        #expect(outcome.code == 0 && outcome.output.contains("\"step\":60"))
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.errors.contains(file) && outcome.errors.contains("step-000060 is used"))
        expectRefusal(
            try dtrain("inspect run/checkpoints/step-000120"), code: 65, words: [file])
        try FileManager.default.removeItem(atPath: run.checkpoint(60))
        expectRefusal(try dtrain("translate --run run"), code: 65, words: [file])
    }

    @Test func `what is no model is refused`() throws {
        expectRefusal(try dtrain("translate --run absent"), code: 64, words: ["absent"])
        expectRefusal(
            try dtrain("inspect run/configuration.yaml"), code: 64, words: ["is a file"])
        try FileManager.default.removeItem(atPath: run.path + "/checkpoints")
        expectRefusal(try dtrain("evaluate --run run"), code: 65, words: ["no checkpoint yet"])
    }

    @Test(arguments: [
        (Data(), "is empty"), (Data("no tab\n".utf8), "line 1, has no tab"),
        (Data("a\tb\nc\td\te\n".utf8), "line 2, has 2 tabs"),
        (Data([0x61, 0x09, 0xFF, 0x0A]), "line 1, is not UTF-8"),
        (Data("a\t \n".utf8), "nothing to evaluate"),
        (
            Data(("a\t" + String(repeating: "dog ", count: 30) + "\n").utf8),
            "1 pair too long for --positions 24 (bad.tsv:1)"
        ),
    ])
    func `unfit pairs are refused with file and line`(bytes: Data, words: String) throws {
        try folder.write(bytes, to: "bad.tsv")
        expectRefusal(
            try dtrain("evaluate --run run --corpus bad.tsv"), code: 65, words: ["bad.tsv", words])
        expectRefusal(
            try dtrain("evaluate --run run --corpus none.tsv"), code: 74, words: ["none.tsv"])
    }

    @Test func `a line is answered before the next one is written`() throws {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = program.executable
        process.arguments = ["translate", "--run", run.path]
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        for _ in 0..<3 {
            try input.fileHandleForWriting.write(contentsOf: Data("a dog eats quite well\n".utf8))
            var answer = Data()
            while answer.last != UInt8(ascii: "\n") {
                let more = output.fileHandleForReading.availableData
                try #require(!more.isEmpty, "the program ended early")
                answer += more
            }
            #expect(String(decoding: answer, as: UTF8.self) == "un chien mange assez bien\n")
        }
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test func `a reader that goes away ends the translation quietly`() throws {
        let file = try folder.write(String(repeating: "the cat eats\n", count: 5000), to: "in.txt")
        let shell = Process()
        let errors = Pipe()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [
            "-c",
            "'\(program.executable.path)' translate --run '\(run.path)' '\(file)' | head -n 1",
        ]
        shell.standardOutput = FileHandle.nullDevice
        shell.standardError = errors
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
        #expect(try errors.fileHandleForReading.readToEnd() ?? Data() == Data())
    }
}
