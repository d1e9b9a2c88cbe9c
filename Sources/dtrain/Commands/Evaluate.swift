import ArgumentParser
import Inference
import Preparation
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
            chrF, chrF++ and TER as sacreBLEU counts them, each with its signature. The script of the \
            references decides where BLEU cuts words, see 'dtrain score --help'. Lines without words and pairs that are too \
            long for the model are left out, counted and named. A file - is standard input.

            --against names other translations, a line for each line of the text or for each \
            pair that counts, or another run, which then translates the same sentences. A paired \
            bootstrap compares the two. --lines and --worst also say log-probabilities in nats a \
            token: of the model's own output, and of the reference.

            EXAMPLES
              dtrain evaluate --run runs/latest --corpus test.tsv --json
              dtrain evaluate --source test.en --target test.fr --worst 20
              dtrain evaluate --run runs/new --against runs/old --report new.html
              dtrain evaluate --corpus test.tsv --write for-comet
            """)

    @OptionGroup var trained: TrainedOptions

    @OptionGroup(title: "Text") var text: EvaluatedPairsOptions

    @Option(
        name: .customLong("text"), parsing: .unconditional,
        help: ArgumentHelp(
            "Text for a language model. (default: the held-out part of the run's own text)",
            valueName: "file"), completion: .file())
    var prose: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Pairs of more tokens than the model has positions: leave them out and count them, or stop.",
            valueName: "skip|stop"), completion: .list(TooLong.allCases.map(\.rawValue)))
    var tooLong = TooLong.skip.rawValue

    @OptionGroup(title: "Scores") var options: MetricOptions

    @OptionGroup var sureness: ResamplingOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Other translations, or another run, to compare with.", valueName: "file|folder"),
        completion: .file())
    var against: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Show so many of the worst sentences, by chrF2.", valueName: "n"))
    var worst: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Write sources, outputs and references here, for other judges.", valueName: "folder"),
        completion: .directory)
    var write: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Write a report with bounds, lengths, sentences and attention: one page for a browser, or Markdown.",
            valueName: "file.html|file.md"), completion: .file(extensions: ["html", "md"]))
    var report: String?

    @Flag(help: "Print one line of JSON; with --lines one for each line.")
    var json = false

    func run() throws {
        let tooLong = try value("--too-long", tooLong, Domain<TooLong>.choice)
        let pairs = try text.pairs()
        let choice = try options.choice()
        let resampling = try sureness.resampling(
            isCompared: against != nil, isReported: report != nil)
        let worst = try worst.map { try whole("--worst", $0, 1...1_000_000) }
        if sureness.lines, worst != nil {
            throw Failure.usage(.leaveOneOut("--lines", "--worst"))
        }
        let folder = try write.map { try Failure.path("--write", $0) }
        let report = try report.map { try ReportFile($0) }
        let (model, beam, threads) = try trained.load()
        if model.kind == .languageModel {
            try refuseForText(beam: beam)
            return try evaluateText(model, threads)
        }
        guard prose == nil else {
            throw Failure.usage(.textForLanguageModels)
        }
        let rival = try against.map { try Rival($0) }
        let (heldOut, counts) = try model.heldOutPairs(pairs, tooLong: tooLong)
        let evaluation = try model.evaluate(
            heldOut, beam: beam, threads: threads, tooLong: tooLong)
        let beside = LinesBeside(
            evaluation: evaluation, counts: counts, name: pairs?.name ?? "what is held out")
        let references =
            try [evaluation.references]
            + text.reference.map { try beside.lines(of: $0).map(model.normalised) }
        let baseline: [String]? =
            switch rival {
            case nil: nil
            case .file(let path): try beside.lines(of: path)
            case .model(let model):
                try model.outputs(for: evaluation, beam: beam, threads: threads)
            }
        let script = Script(of: references.joined())
        let measurements = choice.metrics(for: script).map { metric in
            measured(
                evaluation.outputs, against: references, baseline: baseline, by: metric,
                resampling: resampling)
        }
        let lines =
            sureness.lines || worst != nil || report != nil
            ? evaluation.lines(
                against: references,
                losses: try model.lossesOfPairs(evaluation, threads: threads), measurements)
            : []
        let outcome = EvaluationOutcome(
            model: model, beam: beam, evaluation: evaluation, counts: counts,
            name: pairs?.name ?? "held out", references: references, script: script,
            measurements: measurements, rival: against ?? "", notes: choice.notes(on: script),
            worst: Array(lines.worstFirst.prefix(worst ?? 0)))
        if sureness.lines {
            try say(lines, outcome)
        } else if json {
            try StandardOutput.write(json: outcome.report)
        } else {
            try StandardOutput.write(outcome.text)
        }
        if let folder {
            try EvaluatedFiles.write(
                evaluation, references: references, report: outcome.report, to: folder)
        }
        try report?.write(outcome, lines, worst: worst)
    }

    private func say(_ lines: [EvaluatedLine], _ outcome: EvaluationOutcome) throws(Failure) {
        let table = EvaluatedLineTable(measurements: outcome.measurements)
        if !json { try StandardOutput.write(table.head) }
        for line in lines {
            if json {
                try StandardOutput.write(json: EvaluatedLineReport(line, outcome.measurements))
            } else {
                try StandardOutput.write(table.row(line))
            }
        }
    }

    /// A language model translates nothing. Throws usage failures.
    private func refuseForText(beam: Int) throws(Failure) {
        guard beam == 1 else { throw .usage(.onlyForTranslators("--beam")) }
        let given: [(String, Bool)] = [
            ("--corpus", text.corpus != nil), ("--source", text.source != nil),
        ]
        if let option = given.first(where: \.1)?.0 {
            throw .usage(.forTranslators(option))
        }
        let idle: [(String, Bool)] = [
            ("--lines", sureness.lines), ("--confidence", sureness.confidence),
            ("--against", against != nil), ("--worst", worst != nil), ("--write", write != nil),
            ("--report", report != nil),
        ]
        if let option = idle.first(where: \.1)?.0 {
            throw .usage(.onlyForTranslators(option))
        }
    }

    private func evaluateText(_ model: TrainedModel, _ threads: Int) throws {
        let passages = try model.heldOutPassages(prose)
        let evaluation = try model.evaluateText(passages, of: prose, threads: threads)
        let checkpoint = model.checkpoint.folder
        if json {
            return try StandardOutput.write(
                json: EvaluationReport(
                    loss: evaluation.loss, perplexity: evaluation.perplexity,
                    windows: evaluation.windows, tokens: evaluation.tokens,
                    unknownTokens: evaluation.coverage.unknownTokens, step: checkpoint.step,
                    digest: checkpoint.digest, checkpoint: checkpoint.path))
        }
        try StandardOutput.write(
            """
            checkpoint  \(checkpoint.path.visibleLine)
            tokens      \(grouped(evaluation.tokens)), \(prose?.visibleLine ?? "held out")
            \(unknownLine(evaluation.coverage))\
            loss        \(fixed(evaluation.loss, 4)) nats a token
            perplexity  \(fixed(evaluation.perplexity, 3))

            """)
    }
}

/// What the tokenizer does not know of a text; nothing where it knows all.
func unknownLine(_ coverage: Coverage) -> String {
    unknown(coverage, in: "the text").map { "unknown     \($0.sentence)\n" }.joined()
}
