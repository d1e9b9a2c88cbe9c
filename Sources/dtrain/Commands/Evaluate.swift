import ArgumentParser
import Inference
import Scoring
import Settings
import Text
import Words

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures loss, perplexity and BLEU of the newest checkpoint of a run.",
        discussion: """
            Loss in nats a target token, without label smoothing, the end mark counted; BLEU, \
            chrF++ and TER as sacreBLEU counts them, each with its signature. The script of the \
            references decides where BLEU cuts words, see 'dtrain score --help'. Lines without words and pairs that are too \
            long for the model are left out, counted and named. A file - is standard input.

            EXAMPLES
              dtrain evaluate --run runs/latest --corpus test.tsv --json
              dtrain evaluate --source test.en --target test.fr
            """)

    @OptionGroup var trained: TrainedOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Sentence pairs. (default: the held-out part of the run's own text)",
            valueName: "pairs.tsv"))
    var corpus: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Source sentences, one a line, with --target instead of --corpus.", valueName: "file"))
    var source: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Their translations, line by line.", valueName: "file"))
    var target: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Text for a language model. (default: the held-out part of the run's own text)",
            valueName: "file"))
    var text: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Pairs of more tokens than the model has positions: leave them out and count them, or stop.",
            valueName: "skip|stop"))
    var tooLong = TooLong.skip.rawValue

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        let tooLong = try value("--too-long", tooLong, Domain<TooLong>.choice)
        let pairs = try pairs()
        let (model, beam, threads) = try trained.load()
        if model.kind == .languageModel {
            guard beam == 1 else { throw Failure.usage(.beamForTranslators) }
            guard pairs == nil else {
                throw Failure.usage(.forTranslators(corpus == nil ? "--source" : "--corpus"))
            }
            return try evaluateText(model, threads)
        }
        guard text == nil else {
            throw Failure.usage(.textForLanguageModels)
        }
        let (heldOut, lines) = try model.heldOutPairs(pairs, tooLong: tooLong)
        let evaluation = try model.evaluate(
            heldOut, beam: beam, threads: threads, tooLong: tooLong)
        try say(evaluation, lines, of: model, pairs?.name ?? "held out")
    }

    private func pairs() throws(Failure) -> CorpusSource? {
        switch (corpus, source, target) {
        case (nil, nil, nil): return nil
        case (let corpus?, nil, nil): return .pairs(corpus)
        case (nil, let source?, let target?):
            if TextFile.isStandardInput(source) && TextFile.isStandardInput(target) {
                throw .usage(.standardInputTwice("--source", "--target"))
            }
            return .files(source: source, target: target)
        case (nil, nil, _): throw .usage(.needs("--target", "--source"))
        case (nil, _, nil): throw .usage(.needs("--source", "--target"))
        case (_, _?, _): throw .usage(.leaveOneOut("--corpus", "--source"))
        case (_, nil, _): throw .usage(.leaveOneOut("--corpus", "--target"))
        }
    }

    private func say(
        _ evaluation: ModelEvaluation, _ lines: LineCounts, of model: TrainedModel, _ name: String
    ) throws(Failure) {
        let checkpoint = model.checkpoint.folder
        let tooLong = lines.tooLong.and(evaluation.tooLong)
        let script = Script(of: evaluation.references)
        let bleu = BLEU(script.tokenisation)
        let metrics: [any Metric] = [bleu, ChrF(wordOrder: 2), TER()]
        let scores = metrics.map { ($0, evaluation.score(by: $0)) }
        if json {
            return try StandardOutput.write(
                json: Report(
                    loss: evaluation.loss, perplexity: evaluation.perplexity,
                    bleu: scores[0].1.value,
                    scores: scores.map { ScoreReport($0.1, by: $0.0, references: 1) },
                    pairs: evaluation.pairs,
                    dropped: lines.dropped, tooLong: tooLong.count, tokens: evaluation.labels,
                    unknownTokens: evaluation.coverage.unknownTokens, step: checkpoint.step,
                    digest: checkpoint.digest, checkpoint: checkpoint.path))
        }
        try StandardOutput.write(
            """
            checkpoint  \(checkpoint.path.visibleLine)
            pairs       \(grouped(evaluation.pairs)), \(name.visibleLine)
            \(lines.dropped > 0 ? "left out    \(sentence(of: lines))\n" : "")\
            \(tooLong.count > 0
                ? "left out    \(sentence(of: tooLong, positions: model.positions))\n" : "")\
            \(unknownLine(evaluation.coverage))\
            loss        \(fixed(evaluation.loss, 4)) nats a target token
            perplexity  \(fixed(evaluation.perplexity, 3))
            \(scores.map { line($0.1, by: $0.0, evaluation.pairs) }.joined())\
            \([script.reason, script.caution].map { $0.map { "note        \($0)\n" } ?? "" }.joined())
            """)
    }

    private func line(_ score: Score, by metric: any Metric, _ pairs: Int) -> String {
        let details = score.details.map { " \($0.text)\($0.remark(lines: pairs))" } ?? ""
        return """
            \(padded(metric.name, 12))\(fixed(score.value, 2))\(details)
                        \(Signature(metric, references: 1).text)

            """
    }

    private func evaluateText(_ model: TrainedModel, _ threads: Int) throws {
        let passages = try model.heldOutPassages(text)
        let evaluation = try model.evaluateText(passages, of: text, threads: threads)
        let checkpoint = model.checkpoint.folder
        if json {
            return try StandardOutput.write(
                json: Report(
                    loss: evaluation.loss, perplexity: evaluation.perplexity,
                    windows: evaluation.windows, tokens: evaluation.tokens,
                    unknownTokens: evaluation.coverage.unknownTokens, step: checkpoint.step,
                    digest: checkpoint.digest, checkpoint: checkpoint.path))
        }
        try StandardOutput.write(
            """
            checkpoint  \(checkpoint.path.visibleLine)
            tokens      \(grouped(evaluation.tokens)), \(text?.visibleLine ?? "held out")
            \(unknownLine(evaluation.coverage))\
            loss        \(fixed(evaluation.loss, 4)) nats a token
            perplexity  \(fixed(evaluation.perplexity, 3))

            """)
    }

    private func unknownLine(_ coverage: Coverage) -> String {
        unknown(coverage, in: "the text").map { "unknown     \($0.sentence)\n" }.joined()
    }
}

/// The line of JSON; CONTRACT fixes the first three keys.
private struct Report: Encodable {
    let loss: Double
    let perplexity: Double
    /// Of a translator only.
    var bleu: Double?
    /// BLEU, chrF++ and TER of a translator, with their signatures.
    var scores: [ScoreReport]?
    var pairs: Int?
    /// Pairs and lines that were left out for lack of words, and those that are too long.
    var dropped: Int?
    var tooLong: Int?
    /// Of a language model only.
    var windows: Int?
    let tokens: Int
    let unknownTokens: Int
    let step: Int
    let digest: String
    let checkpoint: String

    enum CodingKeys: String, CodingKey {
        case loss, perplexity, bleu, scores, pairs, dropped, windows, tokens, step, digest,
            checkpoint
        case tooLong = "too_long"
        case unknownTokens = "unknown_tokens"
    }
}
