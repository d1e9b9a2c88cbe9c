import ArgumentParser
import Scoring
import Words

/// How sure a score is to be said to be.
struct ResamplingOptions: ParsableArguments {
    @Flag(help: "Say between what bounds each score lies.")
    var confidence = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Texts that --confidence and --against draw. (default: 1000)", valueName: "n"))
    var resamples: String?

    @Flag(help: "Score each line, as a table; BLEU takes those orders that a line has.")
    var lines = false

    /// The texts to draw; nil where none are.
    ///
    /// - Parameters:
    ///   - isCompared: with other translations.
    ///   - isReported: in a file, which has bounds anyway.
    /// - Throws: usage failures.
    func resampling(isCompared: Bool, isReported: Bool = false) throws(Failure) -> Resampling? {
        let isDrawn = confidence || isCompared
        if lines, isDrawn {
            throw .usage(.leaveOneOut("--lines", confidence ? "--confidence" : "--against"))
        }
        guard let resamples else { return isDrawn || isReported ? .standard : nil }
        guard isDrawn || isReported else {
            throw .usage(.resamplesAlone)
        }
        return Resampling(resamples: try whole("--resamples", resamples, 2...1_000_000))
    }
}
