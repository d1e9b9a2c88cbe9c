import ArgumentParser
import Checkpoint
import Foundation
import Watching
import Words

struct PlotRuns: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Draws a series of one or more runs, as SVG or in characters.",
        discussion: """
            EXAMPLES
              dtrain plot runs/latest                              in this terminal
              dtrain plot runs/a runs/b --series validation_loss -o loss.svg
              dtrain plot runs/a --series gradient_norm --logarithmic --steps 100..2000
            """)

    @Argument(help: "Run folders.")
    var runs: [String]

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "A key of metrics.jsonl, such as loss, validation_loss, tokens_per_s.",
            valueName: "name"))
    var series = Column.loss.rawValue

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Steps to draw. (default: all)", valueName: "a..b"))
    var steps: String?

    @Flag(help: "Draw the values' axis logarithmically.")
    var logarithmic = false

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "File to write as SVG; - is standard output: characters on a terminal, SVG elsewhere.",
            valueName: "file.svg"))
    var output = "-"

    func run() throws {
        let steps = try steps.map { try stretch("--steps", $0, startingAt: 1) } ?? 1...Int.max
        var lines: [Plot.Line] = []
        var names: Set<String> = Set(Column.allCases.map(\.rawValue))
        for run in runs {
            let paths = try runPaths(run)
            let own: RunSeries
            do {
                own = try RunSeries(paths)
            } catch {
                throw Failure(error)
            }
            own.update()
            own.save()
            names.formUnion(own.heldOut.flatMap(\.figures.keys))
            lines.append(Plot.Line(name: run, points: points(own, steps)))
        }
        guard names.contains(series) else {
            throw Failure.usage(
                "--series \(series) is in none of these runs, give one of "
                    + names.sorted().joined(separator: ", "))
        }
        let plot = Plot(title: series, lines: lines, isLogarithmic: logarithmic)
        guard output == "-", isatty(STDOUT_FILENO) == 1 else {
            return try write(plot.svg(), to: output)
        }
        let size = TerminalSize.current
        let rows = max(8, min(24, size.rows - runs.count - 1))
        let text = plot.characters(columns: size.columns, rows: rows) + plot.legend
        try StandardOutput.write(text.joined(separator: "\n") + "\n")
    }

    private func points(
        _ own: RunSeries, _ steps: ClosedRange<Int>
    ) -> [(step: Double, value: Double)] {
        if let column = Column(rawValue: series) {
            let found = own.stretch(steps, points: 1000)
            return zip(found.begins, found.blocks).map { begin, block in
                let value = block[column.index]
                return (Double(begin), value.count > 0 ? Double(value.mean) : .nan)
            }
        }
        return own.heldOut.filter { steps.contains($0.step) }.compactMap { held in
            held.figures[series].map { (Double(held.step), $0) }
        }
    }
}
