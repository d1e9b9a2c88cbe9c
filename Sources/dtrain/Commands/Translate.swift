import ArgumentParser
import Runtime

struct Translate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "translate",
        abstract: "Translates lines with the newest checkpoint of a run.",
        discussion: """
            Reads one sentence a line from a file or from standard input and writes one \
            translation a line, flushed line by line. A line that is too long for the model gives \
            an empty line, a warning and exit code 65 at the end.

            EXAMPLES
              echo 'Where are you?' | dtrain translate
              dtrain translate --run runs/best --beam 4 sentences.en > sentences.fr
            """)

    @OptionGroup var trained: TrainedOptions

    @Argument(help: "Sentences, one a line. (default: standard input)")
    var file: String?

    func run() throws { try Entry.translate(try trained.request(), file: file) }
}

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

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws { try Entry.evaluate(try trained.request(), corpus: corpus, json: json) }
}

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows step, architecture, every tensor and the digest of a checkpoint.",
        discussion: """
            EXAMPLES
              dtrain inspect
              dtrain inspect runs/latest/checkpoints/step-000200 --json
            """)

    @Argument(help: "A run, of which the newest checkpoint is taken, or a checkpoint.")
    var folder = RunLocation.latest

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws { try Entry.inspect(folder, json: json) }
}
