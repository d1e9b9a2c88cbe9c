import ArgumentParser
import Inference
import Kernels
import Model
import Words

/// How translations are searched for, and in which form they are written.
struct SearchOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Write so many translations of each line, best first, at most --beam, as NUMBER ||| TEXT ||| SCORE, lines counted from 0.",
            valueName: "n"))
    var nBest: String?

    @Flag(help: "Write each translation's score and a tab before it.")
    var scores = false

    @Flag(help: "Write one line of JSON for each line: translations, scores, log-probabilities.")
    var json = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What log-probabilities are divided by: gnmt:α is ((5+n)/6)^α, power:α is n^α, none.",
            valueName: "kind"))
    var lengthPenalty = "gnmt:0.6"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Fewest tokens of a translation.", valueName: "n"))
    var minLength = "0"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Most tokens of a translation. (default: twice the source's and 10 more)",
            valueName: "n"))
    var maxLength: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Round the decoder's matrices to whole numbers: faster, nearly the same translations, the same bits on every processor. (default: as trained)",
            valueName: Quantisation.allCases.map(\.rawValue).joined(separator: "|")))
    var quantise: String?

    /// The quantisation of the decoder's matrices. Throws a usage failure.
    func quantisation() throws(Failure) -> Quantisation? {
        guard let quantise else { return nil }
        guard let quantisation = Quantisation(rawValue: quantise) else {
            throw .usage(.takes("--quantise", .names(["int8"]), not: quantise))
        }
        return quantisation
    }

    /// The choices for a beam of `width`. Throws usage failures.
    func choices(beam width: Int) throws(Failure) -> SearchChoices {
        var choices = SearchChoices(width: width)
        choices.penalty = try penalty()
        choices.shortest = try whole("--min-length", minLength, 0...65_536)
        if let maxLength {
            let longest = try whole("--max-length", maxLength, 1...65_536)
            guard choices.shortest <= longest else {
                throw .usage(.minLengthAbove(minLength, maxLength: maxLength))
            }
            choices.longest = longest
        }
        if json && scores { throw .usage(.writesScores("--json")) }
        guard let nBest else { return choices }
        if scores {
            throw .usage(.writesScores("--n-best"))
        }
        choices.outputs = try whole("--n-best", nBest, 1...64)
        guard choices.outputs <= width else {
            throw .usage(.moreTranslations(nBest, beam: width))
        }
        return choices
    }

    private func penalty() throws(Failure) -> LengthPenalty {
        if lengthPenalty == "none" { return .none }
        let parts = lengthPenalty.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, let alpha = Double(parts[1]), alpha.isFinite, (0...10) ~= alpha {
            if parts[0] == "gnmt" { return .gnmt(alpha: alpha) }
            if parts[0] == "power" { return .power(alpha: alpha) }
        }
        throw .usage(.takes("--length-penalty", .lengthPenalty, not: lengthPenalty))
    }

    /// What is written for a line, whole lines; `number` counts from 0. A line without a translation
    /// leaves its place empty.
    func text(of translations: [Translation], number: Int) -> String {
        if nBest != nil {
            return translations.map { "\(number) ||| \($0.text) ||| \(fixed($0.score, 4))\n" }
                .joined()
        }
        let first = translations.first
        guard scores else { return (first?.text ?? "") + "\n" }
        return "\(first.map { fixed($0.score, 4) } ?? "")\t\(first?.text ?? "")\n"
    }
}

/// A line of JSON of `translate`.
struct TranslatedLine: Encodable {
    struct One: Encodable {
        let text: String
        let score, logProbability: Double

        enum CodingKeys: String, CodingKey {
            case text, score
            case logProbability = "log_probability"
        }
    }

    /// Counted from 1.
    let line: Int
    /// Best first; empty where the line could not be translated.
    let translations: [One]

    init(line: Int, _ translations: [Translation]) {
        self.line = line
        self.translations = translations.map {
            One(text: $0.text, score: $0.score, logProbability: $0.logProbability)
        }
    }
}
