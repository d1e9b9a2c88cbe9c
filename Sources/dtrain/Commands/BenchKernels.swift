import ArgumentParser
import Kernels
import Settings
import Words

/// `bench kernels`: every kernel alone.
struct BenchKernels: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Times every kernel alone, products by all instructions that this processor has.",
        discussion: """
            On one thread, on data in the caches, at the sizes of one shard of a preset.

            EXAMPLE
              dtrain bench kernels --preset small --vocabulary 8192
            """)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Sizes of the model, as in train.", valueName: "tiny|small|base"),
        completion: .list(Preset.allCases.map(\.rawValue)))
    var preset = "small"

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Size of the vocabulary.", valueName: "n"))
    var vocabulary = "8192"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Tokens of a shard, on each side.", valueName: "n"))
    var tokens = "256"

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Tokens of a sequence.", valueName: "n"))
    var length = "32"

    @OptionGroup var kernels: KernelOptions

    @Flag(help: "Print one line of JSON a kernel.")
    var json = false

    private struct Line: Encodable {
        let kernel: String
        let shape: String
        let ms: Double
        let gflops: Double
        let gigabytesPerSecond: Double

        enum CodingKeys: String, CodingKey {
            case kernel, shape, ms, gflops
            case gigabytesPerSecond = "GBs"
        }
    }

    func run() throws {
        let preset: Preset = try value("--preset", preset, .choice)
        let sizes = preset.sizes
        let timings = KernelBenchmark(
            tokens: try whole("--tokens", tokens, 1...65_536), dModel: sizes.dModel,
            dFF: sizes.dFF, heads: sizes.heads,
            vocabulary: try whole("--vocabulary", vocabulary, 5...1_000_000),
            length: try whole("--length", length, 1...4096)
        ).run()
        for timing in timings { try show(timing) }
    }

    private func show(_ timing: KernelBenchmark.Timing) throws {
        if json {
            return try StandardOutput.write(
                json: Line(
                    kernel: timing.kernel, shape: timing.shape, ms: timing.milliseconds,
                    gflops: timing.gigaflops, gigabytesPerSecond: timing.gigabytesPerSecond))
        }
        let rate =
            timing.operations > 0
            ? "\(fixed(timing.gigaflops, 1)) GFLOP/s"
            : "\(fixed(timing.gigabytesPerSecond, 1)) GB/s"
        try StandardOutput.write(
            padded(timing.kernel, 22) + padded(timing.shape, 24)
                + padded("\(fixed(timing.milliseconds, 3)) ms", -12) + padded(rate, -16) + "\n")
    }
}
