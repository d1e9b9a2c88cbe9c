import ArgumentParser
import Exports
import Preparation
import Words

struct ImportModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Takes a Marian model, such as one of OPUS-MT, as a run to go on from.",
        discussion: """
            The folder is what transformers' save_pretrained writes of a MarianMTModel: config.json, \
            model.safetensors, source.spm, target.spm and vocab.json. The run has done no step. It \
            translates as the model does, and keeps the model's pieces and their numbers. What dtrain's \
            model cannot have is refused with the reason.

            EXAMPLES
              dtrain import opus-mt-en-fr -o runs/opus
              dtrain translate --run runs/opus
              dtrain train --from runs/opus --corpus pairs.tsv --run runs/tuned
              dtrain export runs/tuned --to transformers -o tuned
            """)

    @Argument(help: "The folder of the model.")
    var folder: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The run to make.", valueName: "run"))
    var output: String

    func run() throws {
        let folder = try Failure.path("the folder", folder)
        let output = try Failure.path("--output", output)
        let model = try MarianImport(folder)
        let checkpoint = try model.save(to: output, software: Dtrain.software)
        let architecture = model.model.architecture
        try StandardOutput.write(
            """
            checkpoint    \(checkpoint.path)
            digest        \(checkpoint.digest)
            parameters    \(grouped(model.model.layout.count))
            vocabulary    \(grouped(architecture.vocabulary)), positions \(architecture.positions)

            """)
    }
}
