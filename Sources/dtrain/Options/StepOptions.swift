import ArgumentParser
import Settings
import Words

/// A step of synthetic sentences: what `bench step` measures and `plan` predicts.
struct StepOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Sizes of the model, as in train.", valueName: "tiny|small|base"),
        completion: .list(Preset.allCases.map(\.rawValue)))
    var preset = "small"

    @Option(parsing: .unconditional, help: ArgumentHelp("Worker processes.", valueName: "n"))
    var workers = "2"

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

    @OptionGroup var sums: SettingOptions<SumsList>

    /// Sequences a worker, and their length on both sides.
    func sequences() throws -> (batch: Int, length: Int) {
        (try whole("--batch", batch, 1...65_536), try whole("--length", length, 1...65_535))
    }

    /// The settings, with dropout 0.1 and label smoothing 0.1; `change` adds to them.
    func configuration(
        _ change: (inout GivenSettings) -> Void = { _ in }
    ) throws -> RunConfiguration {
        var given = sums.given
        for (setting, text) in [
            (Setting.preset, preset), (.vocabulary, vocabulary), (.shards, shards),
            (.dropout, "0.1"), (.labelSmoothing, "0.1"),
            (.positions, String(max(256, try sequences().length + 1))),
        ] { given.set(setting, text) }
        change(&given)
        do {
            return try RunConfiguration(given)
        } catch {
            throw Failure(error, given: given)
        }
    }
}

/// What products round to and how sums are carried, in what `bench step` measures and `plan` predicts.
enum SumsList: SettingList { static var settings: [Setting] { [.precision, .wire] } }
