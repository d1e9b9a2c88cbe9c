import Foundation
import TestKit
import Testing

/// Expected lines are those that sacreBLEU 2.6.0 prints: `sacrebleu REF -i HYP -w 2 -f text`.
@Suite("Scoring files")
struct ScoreCommandTests {
    let program: Program
    let folder: TemporaryFolder

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
        let golden = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Golden/scores.tsv")
        let rows = try String(contentsOf: golden, encoding: .utf8).unicodeScalars
            .split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        let chinese = rows.filter { $0[0] == "zh_CN" }
        for (column, name) in [(1, "ref"), (2, "hyp"), (3, "old")] {
            try folder.write(chinese.map { $0[column] + "\n" }.joined(), to: name)
        }
    }

    func score(_ line: String, input: String = "") throws -> Program.Outcome {
        try program.run(
            ["score"] + line.split(separator: " ").map(String.init), in: folder.url, input: input)
    }

    @Test func `all metrics of a text are printed as sacreBLEU prints them`() throws {
        let outcome = try score("hyp ref")
        #expect(outcome.code == 0 && outcome.errors == "", "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(
            Array(lines.prefix(4)) == [
                "BLEU|nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0 = 76.05 "
                    + "92.9/81.9/74.0/68.2 (BP = 0.966 ratio = 0.967 hyp_len = 9424 "
                    + "ref_len = 9750)",
                "chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0 = 71.51",
                "chrF2++|nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0 = 63.41",
                "TER|nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:2.6.0 = 67.62",
            ], "\(outcome.output)")
        #expect(lines.count == 6 && lines[4].contains("tok:zh") && lines[5].contains("chrF"))
    }

    @Test func `a comparison says what sacreBLEU's paired bootstrap says`() throws {
        let outcome = try score("hyp ref --against old --resamples 100 --metrics bleu")
        #expect(outcome.output.contains("= 76.05 (μ = 75.99 ± 1.44) "), "\(outcome.output)")
        #expect(
            outcome.output.contains("against old 76.71 (μ = 76.58 ± 1.95), p = 0.1980: chance"))
    }

    @Test func `standard input is scored, as JSON, by as many references as there are`() throws {
        let hypotheses = try String(contentsOf: folder.file("hyp"), encoding: .utf8)
        let outcome = try score("- ref old --json --confidence", input: hypotheses)
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        #expect(object["lines"] as? Int == 700 && object["references"] as? Int == 2)
        let scores = try #require(object["scores"] as? [[String: Any]])
        #expect(scores.map { $0["name"] as? String } == ["BLEU", "chrF2", "chrF2++", "TER"])
        #expect(scores.allSatisfy { $0["confidence"] is [String: Any] })
        let signature = try #require(scores[0]["signature"] as? String)
        #expect(signature.hasPrefix("nrefs:2|bs:1000|seed:12345|case:mixed|"), "\(signature)")
    }

    @Test func `each line has a row`() throws {
        let rows = try score("hyp ref --lines").output.split(separator: "\n")
        #expect(rows.count == 701 && rows[0] == "line\tBLEU\tchrF2\tchrF2++\tTER")
        #expect(rows[1] == "1\t25.41\t63.84\t59.89\t66.67")
    }

    @Test(arguments: [
        ("図表をインポートする文書です", "tok:char", "MeCab"), ("한국어 문장을 번역합니다", "tok:char", "MeCab"),
        ("ประโยคภาษาไทย", "tok:char", "Thai"),
    ])
    func `a script without blanks is cut into characters, and that is said`(
        line: String, tokenisation: String, note: String
    ) throws {
        let file = try folder.write(line + "\n", to: "line")
        let output = try score("\(file) \(file)").output
        #expect(output.contains(tokenisation) && output.contains("= 100.00"), "\(output)")
        #expect(output.contains("note: ") && output.contains(note), "\(output)")
        let asked = try score("\(file) \(file) --tokenize 13a --metrics bleu").output
        #expect(asked.contains("tok:13a") && !asked.contains("note: "), "\(asked)")
    }

    @Test func `blank lines are scored, and files that do not fit are refused`() throws {
        try folder.write("\n\n", to: "blank")
        try folder.write("a\nb\n", to: "two")
        try folder.write("", to: "empty")
        #expect(try score("blank two --metrics bleu").output.contains(" = 0.00 0.0/0.0/0.0/0.0"))
        expectRefusal(
            try score("two ref"), code: 65, words: ["two has 2 lines and ref has 700"])
        expectRefusal(
            try score("hyp ref two"), code: 65, words: ["hyp has 700 lines and two has 2"])
        expectRefusal(
            try score("hyp ref --against two"), code: 65, words: ["two has 2"])
        expectRefusal(try score("empty ref"), code: 65, words: ["empty is empty"])
        expectRefusal(try score("absent ref"), code: 74, words: ["absent cannot be read"])
        try folder.write(Data([0x61, 0xFF, 0x0A]), to: "latin")
        expectRefusal(try score("latin ref"), code: 65, words: ["latin, line 1, is not UTF-8"])
    }

    @Test(arguments: [
        ("hyp", "missing expected argument"), ("- -", "cannot both be standard input"),
        ("hyp ref --metrics bleu,meteor", "--metrics takes bleu, chrf"),
        ("hyp ref --tokenize ja", "--tokenize takes auto"),
        ("hyp ref --metrics ter --tokenize zh", "--tokenize zh is for BLEU"),
        ("hyp ref --metrics ter --lowercase", "--lowercase says nothing"),
        ("hyp ref --smooth-value 2", "--smooth-value says nothing beside --smooth exp"),
        ("hyp ref --smooth floor --smooth-value 0", "--smooth-value 0"),
        ("hyp ref --resamples 10", "--resamples needs --confidence or --against"),
        ("hyp ref --confidence --resamples 1", "--resamples 1"),
        ("hyp ref --lines --confidence", "--lines and --confidence exclude each other"),
    ])
    func `options that say nothing are refused`(line: String, words: String) throws {
        expectRefusal(try score(line), code: 64, words: [words])
    }
}
