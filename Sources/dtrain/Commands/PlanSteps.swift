import ArgumentParser
import Words

struct PlanSteps: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Predicts the time of a step on many workers and hosts.",
        discussion: """
            Measures on this machine, in a few seconds, what a gradient, a sum and an update cost, \
            and computes from it the step of --workers on --hosts like this one, and of up to \
            1,024 workers with as many a host and as many sequences each, for the ordered fold \
            and for the textbook ring.

            EXAMPLE
              dtrain plan --preset small --workers 8 --hosts 4 --bandwidth 1gbit --latency 0.2ms
            """)

    @OptionGroup var step: StepOptions

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Hosts that share the workers.", valueName: "n")
    )
    var hosts = "1"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What a link between hosts carries.", valueName: "100mbit|1gbit|…"))
    var bandwidth = "1gbit"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("One way between hosts.", valueName: "time"))
    var latency = "0.2ms"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Take the time of a token from this run's metrics.", valueName: "run folder"))
    var measured: String?

    @Flag(help: "Print one line of JSON a row.")
    var json = false

    func run() throws {
        let workers = try whole("--workers", step.workers, 1...1024)
        let hosts = try whole("--hosts", hosts, 1...1024)
        guard hosts <= workers else {
            throw Failure.usage(.moreHosts(hosts, workers: workers))
        }
        let shards = try whole("--shards", step.shards, 1...1024)
        guard shards >= workers else {
            throw Failure.usage(.moreWorkers(workers, shards: shards))
        }
        let (batch, length) = try step.sequences()
        try Entry.plan(
            PlanRequest(
                configuration: try step.configuration(), workers: workers, hosts: hosts,
                threads: try whole("--threads", step.threads, 1...1024),
                batch: batch, length: length, shards: shards,
                bandwidth: try value("--bandwidth", bandwidth, .rate),
                latency: try value("--latency", latency, .latency),
                measured: try measured.map { try Failure.path("--measured", $0) },
                json: json))
    }
}
