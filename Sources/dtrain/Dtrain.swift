import ArgumentParser
import Kernels
import Resources
import Words

@main
struct Dtrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dtrain",
        abstract: "Trains Transformers on many machines and computes what one would.",
        discussion: """
            A coordinator cuts every batch into shards, workers compute their gradients and fold \
            them around a ring in shard order: any number of workers and threads gives the same \
            bits.

            EXAMPLES
              dtrain train --workers 4                      the demo: English to French
              dtrain train --workers 2 --corpus pairs.tsv --preset small --epochs 10
              dtrain train --resume --steps 2000            go on with runs/latest
              echo 'Where are you?' | dtrain translate
              dtrain inspect runs/latest

            EXIT CODES
              64 usage, 65 unfit data, 69 something is missing, 71 the system refuses \
            something, 74 input or output, 130 interrupted twice, 131 SIGQUIT, 1 anything else; 'dtrain help \
            exit-codes' has what leads to each, 'dtrain help settings' the settings of a run, \
            'dtrain help manual' the manual page
            """,
        version: version,
        subcommands: [
            Train.self, Coordinate.self, Work.self, Translate.self, Generate.self, Evaluate.self,
            ScoreFiles.self,
            ExportModel.self, ImportModel.self, Inspect.self, Diff.self, Status.self, ShowPage.self,
            WatchRun.self, PlotRuns.self, TraceSteps.self, Diagnose.self, ManageToken.self,
            Verify.self, Simulate.self,
            PlanSteps.self,
            Bench.self,
            AllReduceMembership.self,
        ])

    static func main() {
        prepareLastWords(Failure.lastWords)
        Endings.prepare()
        if let missing = Processor.requirement() {
            Failure(.unavailable, "this processor lacks \(missing), run dtrain on one that has it")
                .exit()
        }
        if let bits = FloatingPointMode.fault {
            Failure(
                .unavailable,
                "a library that is loaded before (LD_PRELOAD) has changed how this processor rounds "
                    + "(control bits \(bits)): start dtrain without it"
            ).exit()
        }
        StandardError.outlivesItsReader()
        var typed: TypedLine?
        do {
            try TypedLine.requireText()
            let arguments = Array(CommandLine.arguments.dropFirst())
            if let (topic, markdown) = try HelpTopic.asked(by: arguments) {
                return try StandardOutput.write(topic.page(markdown: markdown))
            }
            typed = try TypedLine(arguments)
            var command = try parseAsRoot()
            try requireDescriptors(leastDescriptors)
            try command.run()
        } catch let failure as Failure {
            failure.exit()
        } catch let code as ExitCode {
            exit(withError: code)
        } catch {
            end(with: error, typed?.commandLine ?? "dtrain")
        }
    }

    /// What any command opens at once: below that a whole file would be taken for a damaged one.
    private static let leastDescriptors = 8

    /// Help and version go to standard output; what the parser refuses becomes one sentence.
    private static func end(with error: any Error, _ command: String) -> Never {
        switch exitCode(for: error) {
        case .success: exit(withError: error)
        case .validationFailure: Failure.usage(sentence(message(for: error), command)).exit()
        default: Failure(thrown: error).exit()
        }
    }

    /// The parser's message as the rest of a sentence that begins with the program's name.
    private static func sentence(_ message: String, _ command: String) -> String {
        if let match = message.firstMatch(
            of: /option '(--[^']+)' does not take any value, but '([^']*)' was specified/)
        {
            return "\(match.1) is given by name alone, leave '=\(match.2)' out"
        }
        let plain = message.replacing(". Did you mean", with: ", did you mean")
        let rest = plain.prefix(1).lowercased() + plain.dropFirst()
        return rest.hasSuffix("?") ? rest : rest + ", see '\(command) --help'"
    }
}
