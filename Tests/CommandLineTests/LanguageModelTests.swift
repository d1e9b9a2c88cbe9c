import Foundation
import TestKit
import Testing

@Suite("A language model from the command line", .serialized)
struct LanguageModelTests {
    let program: Program
    let folder: TemporaryFolder

    /// Batch statistics, so that the promise of the same bits covers what no optimizer touches.
    static let tiny = """
        --architecture lm --normalisation batch --activation swiglu --position-encoding rotary \
        --vocabulary 300 --d-model 16 --layers 2 --heads 2 --d-ff 24 --positions 24 \
        --batch-tokens 512 --validate-every 0 --quiet
        """

    init() throws {
        program = try Program()
        folder = try TemporaryFolder()
    }

    func dtrain(_ words: [String]) throws -> Program.Outcome {
        try program.run(words, in: folder.url, input: "")
    }

    func dtrain(_ line: String) throws -> Program.Outcome {
        try dtrain(line.split(separator: " ").map(String.init))
    }

    func digest(_ outcome: Program.Outcome) throws -> Substring {
        #expect(outcome.code == 0, "\(outcome.errors)")
        return try #require(outcome.output.split(separator: "\n").last)
    }

    @Test func `any number of workers, stopped and resumed, give the same bits; then it is used`()
        throws
    {
        let one = try digest(dtrain("train --run one \(Self.tiny) --steps 8 --workers 1"))
        let four = try digest(
            dtrain("train --run four \(Self.tiny) --steps 5 --workers 4 --log-layers-every 2"))
        #expect(four.hasPrefix("step 5 digest "))
        let resumed = try digest(dtrain("train --run four --resume --steps 8 --workers 3 --quiet"))
        #expect(resumed == one)
        let verified = try dtrain("verify four --steps 1..8")
        #expect(verified.code == 0, "\(verified.errors)")
        try checkLayers("four")
        try checkGenerating("four")
        try checkInspecting("four")
    }

    private func checkLayers(_ run: String) throws {
        let text = try String(contentsOf: folder.file("\(run)/metrics.jsonl"), encoding: .utf8)
        let lines = try text.split(separator: "\n").map {
            try #require(
                JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let layers = lines.filter { $0["layers"] != nil }
        #expect(layers.compactMap { $0["step"] as? Int } == [2, 4, 6, 8])
        let first = try #require(layers[0]["layers"] as? [[String: Any]])
        #expect(first.compactMap { $0["name"] as? String } == ["layers.0", "layers.1"])
        for layer in first {
            #expect(try #require(layer["gradient_norm"] as? Double) > 0)
            #expect(try #require(layer["activation_rms"] as? Double) > 0)
        }
    }

    private func checkGenerating(_ run: String) throws {
        let command = ["generate", "--run", run, "--prompt", "The school", "--count", "3"]
        let first = try dtrain(command + ["--seed", "4", "--length", "12"])
        let lines = first.output.split(separator: "\n")
        #expect(first.code == 0 && first.errors == "" && lines.count == 3, "\(first.errors)")
        #expect(lines.allSatisfy { $0.hasPrefix("The school") } && Set(lines).count == 3)
        #expect(
            try dtrain(command + ["--seed", "4", "--length", "12", "--threads", "1"]).output
                == first.output)
        let greedy = try dtrain(command + ["--temperature", "0"]).output.split(separator: "\n")
        #expect(Set(greedy).count == 1)
        let evaluated = try dtrain("evaluate --run \(run) --json")
        let figures = try #require(
            JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any])
        #expect(figures["bleu"] == nil)
        #expect(try #require(figures["perplexity"] as? Double) > 1)
    }

    private func checkInspecting(_ run: String) throws {
        let outcome = try dtrain(
            ["inspect", run, "--attention", "The school <&> is", "--heat-map", "a.html"])
        #expect(outcome.code == 0 && outcome.errors == "", "\(outcome.errors)")
        #expect(outcome.output.contains("layers.1") && outcome.output.contains("head 2"))
        let page = try String(contentsOf: folder.file("a.html"), encoding: .utf8)
        #expect(page.contains("<svg") && page.contains("layers.1, head 2"))
        #expect(!page.contains("<&>"))
        let facts = try dtrain("inspect \(run) --json").output
        #expect(facts.contains("\"normalisation\":\"batch\""))
        #expect(facts.contains("layers.0.norm1.running_var"))
    }

    @Test func `what makes no sense is refused with a sentence`() throws {
        for (line, words) in [
            ("train --text a.txt", "--architecture lm"),
            ("train --architecture lm --corpus a.tsv", "leave --corpus out"),
            ("train --architecture lm --encoder-layers 2", "leave --encoder-layers out"),
            ("train --architecture lm --tying decoder", "no source embedding"),
            ("train --norm none --normalisation rms", "no norm to choose"),
            ("train --heads 128 --position-encoding rotary", "pairs of columns"),
            ("train --initial-deviation 3", "--initialisation normal"),
            ("generate --temperature -1", "--temperature"), ("generate --top-p 0", "--top-p"),
            ("generate --top-k x", "--top-k"), ("inspect --heat-map a.svg", "--attention"),
            ("inspect --attention a --heat-map a.png", ".svg or .html"),
        ] {
            let outcome = try dtrain(line)
            #expect(outcome.code == 64, "\(line): \(outcome.errors)")
            #expect(outcome.errorLines.count == 1 && outcome.errors.contains(words), "\(line)")
        }
    }
}
