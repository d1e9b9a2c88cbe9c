import ArgumentParser
import Runtime

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

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Sizes of the model, as in train.", valueName: "tiny|small|base"))
    var preset = "small"

    @Option(parsing: .unconditional, help: ArgumentHelp("Workers.", valueName: "n"))
    var workers = "2"

    @Option(parsing: .unconditional, help: ArgumentHelp("Hosts that share them.", valueName: "n"))
    var hosts = "1"

    @Option(parsing: .unconditional, help: ArgumentHelp("Threads a worker.", valueName: "n"))
    var threads = "1"

    @Option(parsing: .unconditional, help: ArgumentHelp("Sequences a worker.", valueName: "n"))
    var batch = "32"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Tokens of a sequence, on both sides.", valueName: "n"))
    var length = "32"

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Size of the vocabulary.", valueName: "n"))
    var vocabulary = "8192"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Parts of a batch, as in train.", valueName: "n"))
    var shards = Setting.shards.defaultText ?? ""

    @Option(
        parsing: .unconditional,
        help: about(.wire, "What sums are rounded to at every shard.", "f32|bf16|int8"))
    var wire: String?

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
        var given = GivenSettings()
        for (setting, text) in [
            (Setting.preset, preset), (.vocabulary, vocabulary), (.dropout, "0.1"),
            (.labelSmoothing, "0.1"),
        ] { given.set(setting, text) }
        given.set(.wire, wire)
        let length = try whole("--length", length, 1...65_535)
        given.set(.positions, String(max(256, length + 1)))
        let workers = try whole("--workers", workers, 1...1024)
        let hosts = try whole("--hosts", hosts, 1...1024)
        guard hosts <= workers else {
            throw Failure.usage("--hosts \(hosts) is more than --workers \(workers)")
        }
        let shards = try whole("--shards", shards, 1...1024)
        guard shards >= workers else {
            throw Failure.usage(
                "--workers \(workers) is more than --shards \(shards), raise --shards")
        }
        let configuration: RunConfiguration
        do {
            configuration = try RunConfiguration(given)
        } catch {
            throw Failure(error, given: given)
        }
        try Entry.plan(
            PlanRequest(
                configuration: configuration, workers: workers, hosts: hosts,
                threads: try whole("--threads", threads, 1...1024),
                batch: try whole("--batch", batch, 1...65_536), length: length, shards: shards,
                bandwidth: try bytesPerSecond(), latency: try seconds(), measured: measured,
                json: json))
    }

    private func bytesPerSecond() throws -> Double {
        for (suffix, scale) in [("gbit", 1e9), ("mbit", 1e6), ("kbit", 1e3)]
        where bandwidth.hasSuffix(suffix) {
            guard let value = Double(bandwidth.dropLast(suffix.count)), value > 0, value < 1e6
            else { break }
            return value * scale / 8
        }
        throw Failure.usage(
            "--bandwidth takes a rate such as 100mbit or 2.5gbit, not '\(bandwidth)'")
    }

    /// Finer than other times of dtrain: 0.2ms.
    private func seconds() throws -> Double {
        for (suffix, scale) in [("us", 1e-6), ("ms", 1e-3), ("s", 1.0)]
        where latency.hasSuffix(suffix) {
            guard let value = Double(latency.dropLast(suffix.count)), value >= 0, value < 1e5
            else { break }
            return value * scale
        }
        throw Failure.usage("--latency takes a time such as 0.2ms or 50us, not '\(latency)'")
    }
}
