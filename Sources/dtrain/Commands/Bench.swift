import ArgumentParser
import Settings
import Words

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract:
            "Measures training steps, all-reduce, kernels, events and translation on this machine.",
        subcommands: [
            BenchStep.self, BenchAllReduce.self, BenchKernels.self, BenchEvents.self,
            BenchTranslate.self,
        ])
}

struct BenchStep: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step",
        abstract: "Times whole training steps of a real coordinator and real workers.",
        discussion: """
            Three steps to warm up, then --steps measured ones with dropout 0.1 and label \
            smoothing 0.1. Prints tokens/s of all workers together, milliseconds a step, and the \
            share of the cores' measured multiply-add peak.

            EXAMPLE
              dtrain bench step --preset small --vocabulary 8192 --batch 32 --length 32 --workers 2
            """)

    @OptionGroup var step: StepOptions
    @OptionGroup var kernels: KernelOptions

    @Option(parsing: .unconditional, help: ArgumentHelp("Steps measured.", valueName: "n"))
    var steps = "20"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Real sentence pairs, words as tokens, instead of --batch and --length.",
            valueName: "pairs.tsv"))
    var corpus: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Tokens of a step with --corpus, all workers together.", valueName: "n"))
    var batchTokens = Setting.batchTokens.defaultText ?? ""

    @OptionGroup var links: SettingOptions<StepLinks>

    @Flag(help: "Also show where a thread's time goes, primitive by primitive.")
    var profile = false

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        let configuration = try step.configuration { given in
            given.set(.workers, step.workers)
            given.set(.threads, step.threads)
            given.set(.batchTokens, batchTokens)
            given = links.given.over(given)
        }
        let (batch, length) = try step.sequences()
        try Entry.bench(
            StepBenchRequest(
                configuration: configuration, batch: batch, length: length,
                steps: try whole("--steps", steps, 1...1_000_000),
                corpus: try corpus.map { try Failure.path("--corpus", $0) },
                profile: profile, json: json))
    }
}

struct BenchAllReduce: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all-reduce",
        abstract: "Times the sum of a vector over workers, and checks it.",
        discussion: """
            One line a size: the median time, its 99th percentile, algorithm and bus bandwidth, \
            and how many elements came out wrong.

            EXAMPLE
              dtrain bench all-reduce --workers 4 --bytes 1024,1048576 --transport ipc
            """)

    @Option(parsing: .unconditional, help: ArgumentHelp("Worker processes.", valueName: "n"))
    var workers = "2"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Sizes of the vector in bytes, multiples of 4, such as 1024 or 64KiB.",
            valueName: "n,n,…"))
    var bytes = "1024,65536,1048576,8388608"

    @OptionGroup var links: SettingOptions<AllReduceLinks>

    @Flag(help: "Keep to ZeroMQ's connections over ipc and tcp, as with one ring port.")
    var onePort = false

    @Flag(help: "Print one line of JSON a size.")
    var json = false

    func run() throws {
        let sizes = try bytes.split(separator: ",", omittingEmptySubsequences: false).map {
            try value("--bytes", String($0), .size(4...1_073_741_824))
        }
        if let odd = sizes.first(where: { !$0.isMultiple(of: 4) }) {
            throw Failure.usage(.noWholeFloats(bytes: odd))
        }
        let cluster = try cluster()
        if onePort && !cluster.secure && cluster.transport != .ipc && cluster.transport != .tcp {
            throw Failure.usage(.onePortWithoutNetwork)
        }
        try Entry.bench(
            AllReduceBenchRequest(
                workers: try whole("--workers", workers, 1...64), bytes: sizes,
                transport: cluster.transport, collective: cluster.collective,
                secure: cluster.secure, onePort: onePort, json: json))
    }

    private func cluster() throws(Failure) -> ClusterSettings {
        do {
            return try RunConfiguration(links.given).cluster
        } catch {
            throw Failure(error, given: links.given)
        }
    }
}

/// The links of a measured step.
enum StepLinks: SettingList { static var settings: [Setting] { [.collective, .transport] } }

/// The links of a measured sum.
enum AllReduceLinks: SettingList {
    static var settings: [Setting] { [.transport, .collective, .secure] }
}
