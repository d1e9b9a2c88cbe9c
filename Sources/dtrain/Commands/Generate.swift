import ArgumentParser
import Foundation
import Inference
import Model
import Preparation
import Resources
import Words

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Goes on with a prompt, word by word, with a language model.",
        discussion: """
            Prints --count texts, a line each, that begin with --prompt. Each ends after --length \
            tokens, at the end of a text as the model sees it, or where its positions end. The same \
            --seed gives the same texts.

            EXAMPLES
              dtrain train --architecture lm --workers 2 --time-limit 5m
              dtrain generate --prompt 'The principal' --temperature 0.8 --top-p 0.95 --count 10
            """)

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("A run or one of its checkpoints.", valueName: "folder"))
    var folder = RunLocation.latest

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What the texts begin with. (default: nothing)", valueName: "text"))
    var prompt = ""

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Below 1 likely words become likelier; 0 always takes the likeliest.", valueName: "t"))
    var temperature = "1"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Draw among the k likeliest words; 0 among all.", valueName: "k"))
    var topK = "0"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Draw among the fewest words that together have this probability.", valueName: "p"))
    var topP = "1"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Decides what is drawn.", valueName: "n"))
    var seed = "1"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Most tokens behind the prompt.", valueName: "n"))
    var length = "60"

    @Option(parsing: .unconditional, help: ArgumentHelp("Texts.", valueName: "n"))
    var count = "1"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Threads that compute. (default: all cores)", valueName: "n"))
    var threads: String?

    @OptionGroup var kernels: KernelOptions

    func run() throws {
        let sampling = Sampling(
            temperature: try value("--temperature", temperature, .decimal(0...100)),
            topK: try whole("--top-k", topK, 0...1_000_000),
            topP: try value("--top-p", topP, .decimal(above: 0, to: 1)),
            seed: try value("--seed", seed, .whole))
        let length = try whole("--length", length, 0...65_536)
        let count = try whole("--count", count, 1...100_000)
        let cores = Processors.usable.count
        let threads = try threads.map { try whole("--threads", $0, 1...1024) } ?? cores
        let model = try TrainedModel(Failure.path("--run", folder))
        try model.require(.languageModel)
        sayPassedOver(model.checkpoint)
        let generation = try model.generate(
            prompt, count: count, length: length, sampling, threads: threads)
        for text in generation.texts { try StandardOutput.write(product: text + "\n") }
        if generation.cut > 0 {
            let whose = count == 1 ? "the text ends" : "\(generation.cut) of \(count) texts end"
            warn("\(whose) at the model's \(model.positions) positions, before --length \(length)")
        }
    }
}
