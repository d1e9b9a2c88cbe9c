import ArgumentParser
import Measuring
import Settings
import Words

/// `bench events`: what it costs to tell what happens in a run.
struct BenchEvents: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Measures what a run's events cost of a step.",
        discussion: """
            Runs real steps as bench step does, then tells the events of a step to observers again \
            and again. Prints nanoseconds to tell one and to write it as JSON, and their share of \
            the step.

            EXAMPLE
              dtrain bench events --preset tiny --batch 32 --length 32 --workers 2
            """)

    @OptionGroup var step: StepOptions
    @OptionGroup var kernels: KernelOptions

    @Option(parsing: .unconditional, help: ArgumentHelp("Steps measured.", valueName: "n"))
    var steps = "50"

    @Option(parsing: .unconditional, help: ArgumentHelp("Observers told.", valueName: "n"))
    var observers = "2"

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        Endings.ofBenchmark()
        let configuration = try step.configuration { given in
            given.set(.workers, step.workers)
            given.set(.threads, step.threads)
        }
        let (batch, length) = try step.sequences()
        let result = try EventBenchmark(
            step: StepBenchmark(
                configuration: configuration, batch: batch, length: length,
                steps: try whole("--steps", steps, 1...1_000_000), corpus: nil, profiles: false,
                software: Dtrain.software),
            observers: try whole("--observers", observers, 1...64)
        ).run(requests: Signals())
        if json { return try StandardOutput.write(json: result) }
        try show(result)
    }

    private func show(_ result: EventBenchmark.Result) throws {
        for row in result.rows {
            try StandardOutput.write(
                padded(row.event, 12) + padded("\(fixed(row.count, 2)) a step", -14)
                    + padded("\(grouped(Int(row.postNanoseconds))) ns to tell", -18)
                    + padded("\(grouped(Int(row.encodeNanoseconds))) ns to encode", -24)
                    + padded("\(grouped(row.bytes)) bytes", -15) + "\n")
        }
        try StandardOutput.write(
            """
            step        \(fixed(result.stepMilliseconds, 2)) ms, \
            \(fixed(result.eventsPerStep, 2)) events
            share       \(fixed(100 * result.postShare, 4)) % to tell \(result.observers) \
            observers, \(fixed(100 * result.share, 3)) % with one that encodes all

            """)
    }
}
