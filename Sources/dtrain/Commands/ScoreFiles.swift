import ArgumentParser
import Scoring
import Settings
import Text
import Words

struct ScoreFiles: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Scores translations against references, as sacreBLEU does.",
        discussion: """
            Compares line by line, whoever translated; no model is needed. BLEU, chrF, chrF++ and \
            TER have the digits of sacreBLEU \(Signature.version) and its signature, which says how \
            to repeat them. BLEU and chrF are better the higher they are, TER the lower. With \
            several references each line counts as near as the nearest.

            Chinese, Japanese, Korean, Thai and others are written without blanks between words: \
            there BLEU takes characters (zh, char), and a note says so. A file - is standard \
            input.

            --confidence draws lines anew, as sacreBLEU does (seed 12345): 95 of 100 such texts \
            score within μ ± the margin. --against compares with other translations of the same \
            lines by a paired bootstrap: p below 0.05 means that the two differ.

            EXAMPLES
              dtrain translate test.en | dtrain score - test.fr
              dtrain score output.fr test.fr other.fr --confidence
              dtrain score new.fr test.fr --against old.fr --metrics bleu,chrf
              dtrain score output.zh test.zh --lines
            """)

    @Argument(help: ArgumentHelp("Translations, one a line.", valueName: "translations"))
    var hypotheses: String

    @Argument(help: ArgumentHelp("References, line by line.", valueName: "references"))
    var references: [String]

    @OptionGroup var options: MetricOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Other translations to compare with.", valueName: "file"))
    var against: String?

    @OptionGroup var sureness: ResamplingOptions

    @Flag(help: "Print one line of JSON; with --lines one for each line.")
    var json = false

    func run() throws {
        let choice = try options.choice()
        let resampling = try sureness.resampling(isCompared: against != nil)
        let inputs = [hypotheses] + references + (against.map { [$0] } ?? [])
        guard inputs.count(where: TextFile.isStandardInput) < 2 else {
            throw Failure.usage(.filesStandardInputTwice)
        }
        let files = try inputs.map { try TextFile(path: $0) }
        let texts = try files.map { try $0.linesOfAnyLength() }
        for (file, text) in zip(files, texts) where text.count != texts[0].count {
            throw TextError.lineCounts(
                source: files[0].name, sourceLines: texts[0].count,
                target: file.name, targetLines: text.count)
        }
        let script = Script(of: texts[1...references.count].joined())
        let baseline = against == nil ? nil : texts[texts.count - 1]
        let measurements = choice.metrics(for: script).map { metric in
            measured(
                texts[0], against: Array(texts[1...references.count]), baseline: baseline,
                by: metric, resampling: resampling)
        }
        if sureness.lines { return try sayLines(measurements, texts[0].count) }
        let notes = choice.notes(on: script)
        if json {
            return try StandardOutput.write(
                json: ScoresReport(
                    lines: texts[0].count, references: references.count,
                    scores: measurements.map { ScoreReport($0) }, notes: notes))
        }
        for measurement in measurements {
            let comparison = measurement.comparison(named: against ?? "").map { "  \($0)\n" }
            try StandardOutput.write(measurement.line + "\n" + (comparison ?? ""))
        }
        for note in notes { try StandardOutput.write("note: \(note)\n") }
    }

    private func sayLines(_ measurements: [Measurement], _ lines: Int) throws(Failure) {
        let table = measurements.map { $0.scoresOfLines() }
        if !json {
            try StandardOutput.write(
                (["line"] + measurements.map(\.metric.name)).joined(separator: "\t") + "\n")
        }
        for index in 0..<lines {
            let scores = table.map { $0[index] }
            if json {
                try StandardOutput.write(
                    json: LineReport(
                        line: index + 1,
                        scores: zip(scores, measurements).map { ScoreReport($0, of: $1) }))
            } else {
                let cells = scores.map { fixed($0.value, 2) }
                try StandardOutput.write(
                    (["\(index + 1)"] + cells).joined(separator: "\t") + "\n")
            }
        }
    }
}

private struct ScoresReport: Encodable {
    let lines: Int
    let references: Int
    let scores: [ScoreReport]
    /// What must be known of the script to read them.
    let notes: [String]
}

private struct LineReport: Encodable {
    /// Counted from 1.
    let line: Int
    let scores: [ScoreReport]
}
