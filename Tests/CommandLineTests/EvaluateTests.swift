import Foundation
import TestKit
import Testing

@Suite("Judging a translator")
struct EvaluateTests {
    let program: Program
    let folder: TemporaryFolder
    let run: TrainedRun

    /// Trained once; every test has a copy.
    private static let trained = Result {
        let folder = try TemporaryFolder()
        return (folder: folder, run: try TrainedRun(in: folder, steps: [40, 120]))
    }

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
        run = try Self.trained.get().run.copied(to: folder)
        let pairs = TrainedRun.text.split(separator: "\n").map {
            $0.split(separator: "\t").map(String.init)
        }
        try folder.write(pairs.map { $0[0] + "\n" }.joined(), to: "source")
        try folder.write(pairs.map { $0[1] + "\n" }.joined(), to: "target")
        try folder.write(TrainedRun.text, to: "pairs.tsv")
    }

    func dtrain(_ line: String, input: String = "") throws -> Program.Outcome {
        try program.run(
            line.split(separator: " ").map(String.init), in: folder.url, input: input)
    }

    func object(_ line: String) throws -> [String: Any] {
        let outcome = try dtrain(line)
        #expect(outcome.code == 0 && outcome.errors == "", "\(outcome.errors)")
        return try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    func text(_ name: String) throws -> String {
        try String(contentsOf: folder.file(name), encoding: .utf8)
    }

    @Test func `two aligned files are as good as one of pairs, and what is left out is said`()
        throws
    {
        let pairs = try dtrain("evaluate --run run --corpus pairs.tsv").output
        let files = try dtrain("evaluate --run run --source source --target target").output
        #expect(files.replacing("source\n", with: "pairs.tsv\n") == pairs && pairs.contains("TER"))
        try folder.write(try text("source") + "\nthe cat\n", to: "source")
        try folder.write(try text("target") + "le chat\n\n", to: "target")
        let outcome = try dtrain("evaluate --run run --source source --target target")
        #expect(
            outcome.output.contains(
                "left out    2 pairs with an empty side (the first: source:13)"),
            "\(outcome.output)\(outcome.errors)")
        let json = try object("evaluate --run run --source source --target target --json")
        #expect(json["pairs"] as? Int == 12 && json["dropped"] as? Int == 2)
    }

    @Test func `what is written is scored as it was, and lies beside its figures`() throws {
        let said = try dtrain(
            "evaluate --run run/checkpoints/step-000040 --corpus pairs.tsv --write a/b --confidence"
        )
        #expect(said.code == 0, "\(said.errors)")
        let scored = try dtrain("score a/b/output.txt a/b/reference.txt --confidence")
        for line in scored.output.split(separator: "\n") {
            let parts = line.split(separator: "|", maxSplits: 1)
            let rest = parts[1].components(separatedBy: " = ")
            #expect(said.output.contains(rest[0]), "\(rest[0])")
            #expect(
                said.output.contains(" \(rest[1...].joined(separator: " = ").prefix(24))"),
                "\(line)")
        }
        #expect(try text("a/b/source.txt") == text("source"))
        #expect(try text("a/b/reference.txt") == text("target"))
        #expect(try text("a/b/evaluation.json").contains("\"pairs\" : 12"))
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: folder.file("a/b").path))
                == ["source.txt", "output.txt", "reference.txt", "evaluation.json"])
    }

    @Test func `each line has its log-probabilities, which sum to the loss, and scores`() throws {
        let early = "evaluate --run run/checkpoints/step-000040 --corpus pairs.tsv"
        let rows = try dtrain("\(early) --lines").output.split(separator: "\n")
            .map { $0.split(separator: "\t").map(String.init) }
        #expect(rows.count == 13 && rows.allSatisfy { $0.count == 9 })
        #expect(
            Array(rows[0].prefix(3)) == ["line", "reference_tokens", "reference_log_probability"])
        let json = try dtrain("\(early) --lines --json").output.split(separator: "\n").map {
            try #require(
                JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        var (nats, tokens) = (0.0, 0)
        for line in json {
            let count = try #require(line["reference_tokens"] as? Int)
            nats -= try #require(line["reference_log_probability"] as? Double) * Double(count)
            tokens += count
        }
        let loss = try #require(object("\(early) --json")["loss"] as? Double)
        #expect(json.count == 12 && abs(nats / Double(tokens) - loss) < 1e-9, "\(nats) \(loss)")
        _ = try dtrain("\(early) --write out")
        let scored = try dtrain("score out/output.txt out/reference.txt --lines").output
            .split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        for (mine, theirs) in zip(rows, scored) { #expect(mine[5...] == theirs[1...]) }
        let worst = try dtrain("\(early) --worst 2").output
        let lowest = try rows.dropFirst().map { try #require(Double($0[6])) }.min()
        #expect(worst.components(separatedBy: "\nsource  ").count == 3)
        #expect(worst.contains("chrF2 \(String(format: "%.1f", lowest ?? -1))"), "\(worst)")
    }

    @Test func `several references count, whether for each line or for each pair`() throws {
        try folder.write("\t\n" + TrainedRun.text, to: "gaps.tsv")
        try folder.write("nothing\n" + text("target"), to: "all")
        let one = "evaluate --run run --corpus gaps.tsv"
        for file in ["all", "target"] {
            let output = try dtrain("\(one) --reference \(file)").output
            #expect(output.contains("nrefs:2|"), "\(output)")
            #expect(output.contains("BLEU        100.00"), "\(output)")
        }
        try folder.write("a\nb\n", to: "short")
        expectRefusal(
            try dtrain("\(one) --reference short"), code: 65, words: ["short has 2"])
        expectRefusal(
            try dtrain("evaluate --run run --reference target"), code: 64,
            words: ["--reference needs --corpus"])
    }

    @Test func `another run or other translations are compared on the same draws`() throws {
        let early = "run/checkpoints/step-000040"
        _ = try dtrain("evaluate --run \(early) --corpus pairs.tsv --write old")
        let base = "evaluate --run run --corpus pairs.tsv --resamples 50 --metrics bleu --against"
        let byFile = try dtrain("\(base) old/output.txt")
        let byRun = try dtrain("\(base) \(early)")
        #expect(byFile.code == 0 && byRun.code == 0, "\(byFile.errors)\(byRun.errors)")
        #expect(byFile.output.contains("            against old/output.txt "), "\(byFile.output)")
        #expect(byFile.output.replacing("old/output.txt", with: early) == byRun.output)
        #expect(byFile.output.contains("bs:50|seed:12345") && byFile.output.contains("p = "))
    }

    @Test(arguments: [
        ("我们今天学习新的句子", "tok:zh", "Chinese"), ("私たちは文章を翻訳します", "tok:char", "MeCab"),
        ("우리는 문장을 번역합니다", "tok:char", "MeCab"), ("เราแปลประโยคนี้", "tok:char", "Thai"),
    ])
    func `the script of the references decides, and the line says so`(
        target: String, tokenisation: String, note: String
    ) throws {
        try folder.write("the cat\t\(target)\n", to: "other.tsv")
        let output = try dtrain("evaluate --run run --corpus other.tsv").output
        #expect(output.contains(tokenisation) && output.contains("note        "), "\(output)")
        #expect(output.contains(note), "\(output)")
        let json = try object("evaluate --run run --corpus other.tsv --json")
        #expect((json["notes"] as? [String])?.first?.contains(note) == true)
    }

    @Test func `a report is one page, the same each time, and Markdown where that is asked for`()
        throws
    {
        try folder.write(
            TrainedRun.text + "<script>\u{202E}alert(1)</script> cat\t<b>chat</b> \"le\"\n",
            to: "bad.tsv")
        let line = "evaluate --run run/checkpoints/step-000040 --corpus bad.tsv --worst 3 --report"
        #expect(try dtrain("\(line) one.html").code == 0)
        #expect(try dtrain("\(line) two.html --threads 1").code == 0)
        let page = try text("one.html")
        #expect(try page == text("two.html") && page.hasPrefix("<!DOCTYPE html>"))
        #expect(
            page.contains("&lt;script&gt;") && !page.contains("<script")
                && !page.contains("<b>chat"))
        #expect(page.contains("\\u{202E}") && page.contains("tok:13a") && page.contains("<svg "))
        #expect(page.contains("decoder.layers.0") && page.contains("bs:1000"))
        #expect(try dtrain("\(line) page.md").code == 0)
        #expect(try text("page.md").contains("## Worst sentences"))
        expectRefusal(try dtrain("\(line) page.pdf"), code: 64, words: ["ends in .html or .md"])
        expectRefusal(try dtrain("\(line) no/where.md"), code: 74, words: ["there is no no"])
    }

    @Test(arguments: [
        ("--lines --worst 2", "--lines and --worst exclude each other"),
        ("--lines --confidence", "--lines and --confidence exclude each other"),
        ("--worst 0", "--worst 0"), ("--resamples 5", "--resamples needs"),
        ("--metrics bleu,meteor", "--metrics takes"), ("--report ", "--report"),
        ("--source - --target -", "cannot both be standard input"),
    ])
    func `options that say nothing are refused`(options: String, words: String) throws {
        let outcome = try program.run(
            ["evaluate", "--run", "run"] + options.components(separatedBy: " "), in: folder.url)
        expectRefusal(outcome, code: 64, words: [words])
    }
}
