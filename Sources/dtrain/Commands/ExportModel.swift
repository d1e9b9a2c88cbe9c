import ArgumentParser
import Exports
import Inference
import Model
import Preparation
import Words

struct ExportModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a trained model as a folder that other programs read.",
        discussion: """
            The folder has the model, its tokenizer, a model card (README.md, licence left to \
            you) and the digests of all files. The same checkpoint gives the same bytes, \
            wherever and whenever it is exported. The folder appears as a whole or not at all.

            FORMATS
              safetensors  the checkpoint's tensors by the names of nn.Transformer
              ctranslate2  for ctranslate2.Translator, a language model for .Generator
              transformers a translator made --compatible-with marian as MarianMTModel, a \
            language model as GPT-2 or Llama
              argos        a package of Argos Translate; needs --from-language and --to-language

            EXAMPLES
              dtrain export --to ctranslate2 -o model
              dtrain export runs/best --to ctranslate2 --type int8 -o model.int8
              dtrain export --to argos --from-language en:English --to-language fr:French -o package
              dtrain evaluate --corpus test.tsv --json > scores.json
              dtrain export --to safetensors --scores scores.json -o model
            """)

    @Argument(help: "A run, of which the newest checkpoint is taken, or a checkpoint.")
    var folder = RunLocation.latest

    @Option(
        help: ArgumentHelp("The format.", valueName: "safetensors|ctranslate2|transformers|argos"))
    var to: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The folder to write; it must not be there, or be empty.", valueName: "folder"))
    var output: String

    @Option(
        help: ArgumentHelp(
            "Numbers of the weights. (default: float32)", valueName: "float32|bfloat16|int8"))
    var type: String?

    @Option(
        help: ArgumentHelp(
            "The language that is translated, with its name for people.", valueName: "code[:name]"))
    var fromLanguage: String?

    @Option(
        help: ArgumentHelp(
            "The language that it is translated into.", valueName: "code[:name]"))
    var toLanguage: String?

    @Option(
        help: ArgumentHelp(
            "Scores for the card: what 'dtrain evaluate --json' has printed of this checkpoint.",
            valueName: "file"))
    var scores: String?

    func run() throws {
        let output = try Failure.path("--output", output)
        let format = try chosen()
        let loaded = try TrainedModel(Failure.path("the folder", folder))
        sayPassedOver(loaded.checkpoint)
        let model = try ExportedModel(loaded)
        let scores = try scores.map {
            try SavedScores(Failure.path("--scores", $0), of: model)
        }
        let card = ModelCard(model, format: to, numbers: type ?? "float32", scores: scores)
        let files = try Export.write(
            model, as: format, card: card.text(use: format.use(of: model)), to: output)
        try StandardOutput.write(
            files.map { "\(padded(grouped($0.bytes), -13))  \(shown(output))/\($0.name)\n" }
                .joined())
    }

    private func chosen() throws(Failure) -> any UsableFormat {
        let isArgos = to == ArgosFormat.name
        guard isArgos || fromLanguage == nil && toLanguage == nil else {
            throw .usage(
                .onlyFor(
                    "--to argos", fromLanguage == nil ? "--to-language" : "--from-language"))
        }
        switch to {
        case CTranslate2Format.name: return CTranslate2Format(try numbers())
        case ArgosFormat.name:
            return ArgosFormat(
                try numbers(), from: try language("--from-language", fromLanguage),
                to: try language("--to-language", toLanguage))
        case SafetensorsFormat.name:
            guard type == nil else {
                throw .usage(.onlyFor("--to ctranslate2 and argos", "--type"))
            }
            return SafetensorsFormat()
        case TransformersFormat.name:
            guard type == nil else {
                throw .usage(.onlyFor("--to ctranslate2 and argos", "--type"))
            }
            return TransformersFormat()
        default:
            let names = ["safetensors", "transformers", "ctranslate2", "argos"]
            throw .usage(.takes("--to", .names(names), not: to))
        }
    }

    private func numbers() throws(Failure) -> NumberType {
        guard let type else { return .float32 }
        guard let numbers = NumberType(rawValue: type) else {
            throw .usage(
                .takes("--type", .names(["float32", "bfloat16", "int8"]), not: type))
        }
        return numbers
    }

    private func language(_ flag: String, _ text: String?) throws(Failure) -> ArgosFormat.Language {
        guard let text else { throw .usage(.needs("--to argos", "\(flag) en:English")) }
        guard let language = ArgosFormat.Language(text) else {
            throw .usage(.takes(flag, .language, not: text))
        }
        return language
    }
}
