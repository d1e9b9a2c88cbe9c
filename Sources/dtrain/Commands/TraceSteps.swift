import ArgumentParser
import Checkpoint
import Foundation
import Preparation
import Watching
import Words

struct TraceSteps: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Writes what everybody did in some steps, for Perfetto or chrome://tracing.",
        discussion: """
            Takes the spans that events.jsonl still has: of every worker and of the run, on the \
            coordinator's clock. Open the file at https://ui.perfetto.dev, which keeps it on your \
            machine.

            EXAMPLE
              dtrain trace runs/latest --steps 100..120 -o trace.json
            """)

    @Argument(help: "Run folder.")
    var folder = RunLocation.latest

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Steps to show.", valueName: "a..b"))
    var steps: String

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("File to write; - is standard output.", valueName: "file"))
    var output = "trace.json"

    func run() throws {
        let steps = try stretch("--steps", steps, startingAt: 1)
        let paths = try runPaths(folder)
        guard let trace = Trace(of: paths, steps: steps) else {
            throw Failure.data(
                "\(shown(paths.folder)) keeps no spans of the steps \(steps.lowerBound) to "
                    + "\(steps.upperBound): older ones are dropped, give newer steps")
        }
        let text = String(decoding: try trace.json(), as: UTF8.self) + "\n"
        try write(text, to: output)
        guard output != "-" else { return }
        try StandardOutput.write(
            "\(grouped(trace.spans)) spans in \(shown(output)), on the coordinator's clock; a "
                + "worker's times are right to \(fixed(1000 * trace.clockError, 3)) ms\n")
    }
}

/// The folder of a run that is there. Throws a usage failure for anything else.
func runPaths(_ text: String) throws -> RunPaths {
    let location = RunLocation(folder: try Failure.path("the folder", text), resume: true)
    guard location.content == .aRun else { throw Failure(CheckpointError.noRun(path: text)) }
    return RunPaths(location.folder)
}

/// Writes a product whole, or to standard output for `-`.
func write(_ text: String, to path: String) throws {
    if path == "-" { return try StandardOutput.write(product: text) }
    try WholeFile.write(text, to: try Failure.path("--output", path))
}
