import ArgumentParser
import Runtime

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures loss, perplexity and BLEU of the newest checkpoint of a run.",
        discussion: """
            Loss in nats a target token, without label smoothing, the end mark counted; BLEU with \
            sacreBLEU's defaults, on a scale of 0 to 100.

            EXAMPLE
              dtrain evaluate --run runs/latest --corpus test.tsv --json
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
            "Text for a language model. (default: the held-out part of the run's own text)",
            valueName: "file"))
    var text: String?

    @Flag(help: "Print one line of JSON.")
    var json = false

    /// The line of JSON; CONTRACT fixes the first three keys.
    private struct Report: Encodable {
        let loss: Double
        let perplexity: Double
        /// Of a translator only.
        var bleu: Double?
        var pairs: Int?
        /// Of a language model only.
        var windows: Int?
        let tokens: Int
        let step: Int
        let digest: String
        let checkpoint: String
    }

    func run() throws {
        let (model, beam, threads) = try trained.load()
        if model.kind == .languageModel {
            guard beam == 1 else { throw Failure.usage("--beam is for translators, leave it out") }
            return try evaluateText(model, threads)
        }
        guard text == nil else {
            throw Failure.usage("--text is for language models, use --corpus")
        }
        let pairs = try model.heldOutPairs(corpus)
        let evaluation = try model.evaluate(pairs, beam: beam, threads: threads)
        let checkpoint = model.checkpoint.folder
        if json {
            return try StandardOutput.write(
                json: Report(
                    loss: evaluation.loss, perplexity: evaluation.perplexity,
                    bleu: evaluation.bleu.score, pairs: evaluation.pairs,
                    tokens: evaluation.labels, step: checkpoint.step, digest: checkpoint.digest,
                    checkpoint: checkpoint.path))
        }
        let bleu = evaluation.bleu
        let precisions = bleu.precisions.map { fixed($0, 1) }.joined(separator: "/")
        try StandardOutput.write(
            """
            checkpoint  \(checkpoint.path)
            pairs       \(grouped(evaluation.pairs)), \(corpus ?? "held out")
            loss        \(fixed(evaluation.loss, 4)) nats a target token
            perplexity  \(fixed(evaluation.perplexity, 3))
            BLEU        \(fixed(bleu.score, 2)) (\(precisions), brevity \
            \(fixed(bleu.brevityPenalty, 3)))

            """)
    }

    private func evaluateText(_ model: TrainedModel, _ threads: Int) throws {
        guard corpus == nil else { throw Failure.usage("--corpus is for translators, use --text") }
        let evaluation = try model.evaluateText(text, threads: threads)
        let checkpoint = model.checkpoint.folder
        if json {
            return try StandardOutput.write(
                json: Report(
                    loss: evaluation.loss, perplexity: evaluation.perplexity,
                    windows: evaluation.windows, tokens: evaluation.tokens, step: checkpoint.step,
                    digest: checkpoint.digest, checkpoint: checkpoint.path))
        }
        try StandardOutput.write(
            """
            checkpoint  \(checkpoint.path)
            tokens      \(grouped(evaluation.tokens)), \(text ?? "held out")
            loss        \(fixed(evaluation.loss, 4)) nats a token
            perplexity  \(fixed(evaluation.perplexity, 3))

            """)
    }
}
