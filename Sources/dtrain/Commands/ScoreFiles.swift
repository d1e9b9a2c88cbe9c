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

    @Flag(help: "Say between what bounds each score lies.")
    var confidence = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Texts that --confidence and --against draw. (default: 1000)", valueName: "n"))
    var resamples: String?

    @Flag(help: "Score each line, as a table; BLEU takes those orders that a line has.")
    var lines = false

    @Flag(help: "Print one line of JSON; with --lines one for each line.")
    var json = false

    func run() throws {
        let choice = try options.choice()
        let resampling = try resampling()
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
        let compared = ComparedFiles(
            hypotheses: texts[0], references: Array(texts[1...references.count]),
            baseline: against == nil ? nil : texts[texts.count - 1], baselineName: against ?? "",
            resampling: resampling)
        let metrics = choice.metrics(for: script)
        if lines { return try sayLines(compared, metrics) }
        let notes = choice.notes(on: script)
        let results = metrics.map { compared.result(by: $0) }
        if json {
            return try StandardOutput.write(
                json: ScoresReport(
                    lines: texts[0].count, references: references.count,
                    scores: results.map(\.report), notes: notes))
        }
        for result in results { try StandardOutput.write(result.text) }
        for note in notes { try StandardOutput.write("note: \(note)\n") }
    }

    /// Nil where nothing is drawn. Throws usage failures.
    private func resampling() throws(Failure) -> Resampling? {
        let isDrawn = confidence || against != nil
        if lines, isDrawn {
            throw .usage(.leaveOneOut("--lines", confidence ? "--confidence" : "--against"))
        }
        guard let resamples else { return isDrawn ? .standard : nil }
        guard isDrawn else {
            throw .usage(.resamplesAlone)
        }
        return Resampling(resamples: try whole("--resamples", resamples, 2...1_000_000))
    }

    private func ofSentences(_ metric: some Metric) -> any Metric { metric.ofSentences }

    private func sayLines(_ compared: ComparedFiles, _ metrics: [any Metric]) throws(Failure) {
        let metrics = metrics.map { ofSentences($0) }
        let table = metrics.map { compared.scoresOfLines(by: $0) }
        if !json {
            try StandardOutput.write(
                (["line"] + metrics.map(\.name)).joined(separator: "\t") + "\n")
        }
        for index in compared.hypotheses.indices {
            let scores = table.map { $0[index] }
            if json {
                let reports = zip(scores, metrics).map {
                    ScoreReport($0, by: $1, references: references.count)
                }
                try StandardOutput.write(json: LineReport(line: index + 1, scores: reports))
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

/// Translations, their references, and others to compare with.
private struct ComparedFiles {
    let hypotheses: [String]
    let references: [[String]]
    let baseline: [String]?
    let baselineName: String
    let resampling: Resampling?

    struct Result {
        /// A line as sacreBLEU prints it, and one of the comparison.
        let text: String
        let report: ScoreReport
    }

    func result(by metric: some Metric) -> Result {
        let statistics = metric.statistics(of: hypotheses, against: references)
        let score = score(statistics, metric)
        var report = ScoreReport(
            score, by: metric, references: references.count, resampling: resampling)
        var confidence: Resampling.Confidence?
        var comparison = ""
        if let resampling, let baseline {
            let others = metric.statistics(of: baseline, against: references)
            let compared = resampling.comparison(of: statistics, with: others, by: metric)
            let baselineScore = self.score(others, metric)
            confidence = compared.confidence
            comparison = "  \(compared.sentence(baselineScore, named: baselineName))\n"
            report.against = ScoreReport.Against(
                score: baselineScore.value,
                confidence: ScoreReport.Confidence(compared.baseline), p: compared.probability)
        } else if let resampling {
            confidence = resampling.confidence(in: statistics, by: metric)
        }
        report.confidence = confidence.map(ScoreReport.Confidence.init)
        let line = score.line(
            metric, references: references.count, confidence: confidence, resampling: resampling)
        return Result(text: line + "\n" + comparison, report: report)
    }

    func scoresOfLines(by metric: some Metric) -> [Score] {
        metric.statistics(of: hypotheses, against: references).map { metric.result(of: $0) }
    }

    private func score(_ statistics: [[Double]], _ metric: some Metric) -> Score {
        guard let score = metric.score(of: statistics) else {
            preconditionFailure("a file of no line")
        }
        return score
    }
}
