import ArgumentParser
import Inference
import Text
import Words

struct Translate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "translate",
        abstract: "Translates lines with the newest checkpoint of a run.",
        discussion: """
            Reads one sentence a line from a file or from standard input and writes one \
            translation a line, flushed line by line. A line that is too long for the model gives \
            an empty line, a warning and exit code 65 at the end. On a terminal, control \
            characters are made visible; a file or a pipe gets every byte.

            EXAMPLES
              echo 'Where are you?' | dtrain translate
              dtrain translate --run runs/best --beam 4 sentences.en > sentences.fr
              dtrain translate --quantise int8 sentences.en > sentences.fr
              dtrain translate --beam 8 --n-best 8 --length-penalty power:1 sentences.en
            """)

    @OptionGroup var trained: TrainedOptions

    @OptionGroup(title: "Search") var search: SearchOptions

    @Argument(help: "Sentences, one a line; - is standard input. (default: standard input)")
    var file: String?

    func run() throws {
        let input = try LineReader(file)
        let (model, beam, threads) = try trained.load()
        let choices = try search.choices(beam: beam)
        try model.require(.encoderDecoder)
        let translator = try Translator(
            model, choices, threads: threads, quantisation: try search.quantisation())
        var number = 0
        var isWhole = true
        while let lines = try input.next() {
            // A line that cannot be read is translated as an empty one.
            let texts = lines.map { (try? $0.get()) ?? "" }
            let outputs = translator.translations(texts)
            var written = ""
            for (line, output) in zip(lines, outputs) {
                let translations = (try? output.get()) ?? []
                if search.json {
                    try StandardOutput.write(json: TranslatedLine(line: number + 1, translations))
                } else {
                    written += search.text(of: translations, number: number)
                }
                number += 1
                guard let problem = problem(line, output) else { continue }
                isWhole = false
                warn("\(input.name), line \(number), \(problem), its translation is left empty")
            }
            try StandardOutput.write(product: written)
        }
        if !isWhole { throw ExitCode(Failure.Code.data.rawValue) }
    }

    private func problem(
        _ line: Result<String, TextError>, _ output: Result<[Translation], UnfitLine>
    ) -> String? {
        if case .failure(let fault) = line { return problem(of: fault) }
        guard case .failure(let unfit) = output else { return nil }
        return switch unfit {
        case .tooLong(let tokens, let positions):
            "has \(tokens) tokens where the model has \(positions) positions"
        case .unreadable(let error): problem(of: error)
        }
    }

    private func problem(of error: TextError) -> String {
        switch error {
        case .nulByte(_, let offset): "has a NUL at byte \(offset + 1)"
        case .invalidUTF8(_, let offset, nil): "is not UTF-8 at byte \(offset + 1)"
        case .invalidUTF8(_, let offset, let likely?):
            "is not UTF-8 at byte \(offset + 1) and looks like \(likely.rawValue)"
        case .lineTooLong(_, _, let limit): "has more than \(grouped(limit)) bytes"
        default: Failure(error).cause
        }
    }
}
