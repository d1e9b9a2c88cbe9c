import ArgumentParser
import Runtime

/// What is kept and said on the way.
struct ReportingOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: about(.checkpointEvery, "Steps between checkpoints; 0 saves at the end only.", "n"))
    var checkpointEvery: String?

    @Option(
        parsing: .unconditional,
        help: about(.keep, "Newest checkpoints to keep.", "n"))
    var keep: String?

    @Option(
        parsing: .unconditional,
        help: about(.validateEvery, "Steps between validations; 0 is off.", "n"))
    var validateEvery: String?

    @Option(
        parsing: .unconditional,
        help: about(.logEvery, "Steps between lines where no terminal is; 0 is off.", "n"))
    var logEvery: String?

    @Option(
        parsing: .unconditional,
        help: about(
            .logLayersEvery,
            "Steps between records of every layer's gradient and activation norms; 0 is off.", "n"))
    var logLayersEvery: String?

    @Option(
        parsing: .unconditional,
        help: about(.beam, "Beam of the translations at the end; 1 is greedy.", "k"))
    var beam: String?

    var given: GivenSettings {
        var given = GivenSettings()
        given.set(.checkpointEvery, checkpointEvery)
        given.set(.keep, keep)
        given.set(.validateEvery, validateEvery)
        given.set(.logEvery, logEvery)
        given.set(.logLayersEvery, logLayersEvery)
        given.set(.beam, beam)
        return given
    }
}
