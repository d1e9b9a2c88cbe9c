import ArgumentParser
import Foundation
import Inference
import Text
import Words

/// `bench translate`: how fast a trained model translates.
struct BenchTranslate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "translate",
        abstract: "Times the translation of a file's lines with a trained model.",
        discussion: """
            Encoding, search and decoding are timed; loading is a figure of its own. Each round \
            translates all lines, and prints its seconds. --single times one line after the other \
            and prints the median, which is what somebody waits for who has one sentence.

            EXAMPLE
              dtrain bench translate --run runs/latest --threads 1 --beam 4 --rounds 7 source.en
            """)

    @OptionGroup var trained: TrainedOptions

    @OptionGroup(title: "Search") var search: SearchOptions

    @Option(parsing: .unconditional, help: ArgumentHelp("Rounds measured.", valueName: "n"))
    var rounds = "3"

    @Flag(help: "One line at a time.")
    var single = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where the translations go, a line each.", valueName: "file"))
    var output: String?

    @Argument(help: "Sentences, one a line; - is standard input.")
    var file: String

    /// What `--json` prints: of the whole, instead of lines.
    struct Result: Encodable {
        let lines: Int
        /// Words of the translations, as the tokenizer cuts them, end marks included.
        let tokens: Int
        let loadSeconds: Double
        /// Of each round.
        let seconds: [Double]
        let tokensPerSecond: Double
        /// The median time of a line, with `--single`.
        let lineMilliseconds: Double?

        enum CodingKeys: String, CodingKey {
            case lines, tokens, seconds
            case loadSeconds = "load_s"
            case tokensPerSecond = "tokens_per_s"
            case lineMilliseconds = "line_ms"
        }
    }

    func run() throws {
        let rounds = try whole("--rounds", rounds, 1...1000)
        var lines: [String] = []
        let input = try LineReader(file)
        while let portion = try input.next() { lines += portion.map { (try? $0.get()) ?? "" } }
        guard !lines.isEmpty else { throw Failure.data("\(input.name) has no lines") }
        let clock = ContinuousClock()
        let start = clock.now
        let (model, beam, threads) = try trained.load()
        try model.require(.encoderDecoder)
        let translator = try Translator(
            model, try search.choices(beam: beam), threads: single ? 1 : threads,
            quantisation: try search.quantisation())
        _ = translator.translate([lines[0]])
        let load = (clock.now - start) / .seconds(1)
        var times: [Double] = []
        var single: [Double] = []
        var texts: [String] = []
        for _ in 0..<rounds {
            let start = clock.now
            if self.single {
                texts = lines.map { line in
                    let start = clock.now
                    let text = (try? translator.translate([line])[0].get()) ?? ""
                    single.append((clock.now - start) / .milliseconds(1))
                    return text
                }
            } else {
                texts = translator.translate(lines).map { (try? $0.get()) ?? "" }
            }
            times.append((clock.now - start) / .seconds(1))
        }
        if let output { try write(texts, to: output) }
        let tokens = texts.reduce(0) { $0 + ((try? model.tokenizer.encode($1).count) ?? 0) + 1 }
        try report(
            Result(
                lines: lines.count, tokens: tokens, loadSeconds: load, seconds: times,
                tokensPerSecond: Double(tokens) / times.sorted()[times.count / 2],
                lineMilliseconds: single.isEmpty ? nil : single.sorted()[single.count / 2]))
    }

    private func write(_ texts: [String], to path: String) throws {
        let data = Data(texts.map { $0 + "\n" }.joined().utf8)
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw Failure.io("\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    private func report(_ result: Result) throws {
        if search.json { return try StandardOutput.write(json: result) }
        let rate = grouped(Int(result.tokensPerSecond))
        let line = result.lineMilliseconds.map { ", \(fixed($0, 2)) ms a line" } ?? ""
        try StandardOutput.write(
            """
            \(grouped(result.lines)) lines, \(grouped(result.tokens)) tokens: \(rate) tokens/s\(line)
            rounds  \(result.seconds.map { fixed($0, 3) }.joined(separator: ", ")) s
            start   \(fixed(1000 * result.loadSeconds, 0)) ms

            """)
    }
}
