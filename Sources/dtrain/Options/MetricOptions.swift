import ArgumentParser
import Scoring
import Settings
import Words

/// What is measured, and how.
struct MetricOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What to measure, parted by commas: bleu, chrf, chrf++, ter.", valueName: "names"),
        completion: .list(Name.allCases.map(\.rawValue)))
    var metrics = "bleu,chrf,chrf++,ter"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How BLEU cuts words; auto asks the script of the references.",
            valueName: TokenisationChoice.allCases.map(\.rawValue).joined(separator: "|")),
        completion: .list(TokenisationChoice.allCases.map(\.rawValue)))
    var tokenize = TokenisationChoice.auto.rawValue

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What BLEU makes of an order of n-grams without a match.",
            valueName: SmoothingChoice.allCases.map(\.rawValue).joined(separator: "|")),
        completion: .list(SmoothingChoice.allCases.map(\.rawValue)))
    var smooth = SmoothingChoice.exp.rawValue

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Matches that floor counts, or add-k adds. (default: 0.1 and 1)", valueName: "x"))
    var smoothValue: String?

    @Flag(help: "Take capitals for small letters in BLEU and chrF; TER always does.")
    var lowercase = false

    enum Name: String, CaseIterable, Sendable {
        case bleu, chrf
        case chrfWithWords = "chrf++"
        case ter
    }

    enum TokenisationChoice: String, CaseIterable, Sendable {
        case auto, none
        case mteval13a = "13a"
        case intl, char, zh
    }

    enum SmoothingChoice: String, CaseIterable, Sendable {
        case exp, floor
        case addK = "add-k"
        case none
    }

    /// What was chosen, as soon as the references are at hand.
    struct Choice {
        let names: [Name]
        /// Nil is for the script to choose.
        let tokenisation: Tokenisation?
        let smoothing: Smoothing
        let lowercase: Bool

        func metrics(for script: Script) -> [any Metric] {
            names.map { name in
                switch name {
                case .bleu:
                    BLEU(
                        tokenisation ?? script.tokenisation, smoothing: smoothing,
                        lowercase: lowercase)
                case .chrf: ChrF(lowercase: lowercase)
                case .chrfWithWords: ChrF(wordOrder: 2, lowercase: lowercase)
                case .ter: TER()
                }
            }
        }

        /// What must be known of the script to read the scores.
        func notes(on script: Script) -> [String] {
            let reason = tokenisation == nil && names.contains(.bleu) ? script.reason : nil
            let countsWords = names.contains(.ter) || names.contains(.chrfWithWords)
            return [reason, countsWords ? script.caution : nil].compactMap { $0 }
        }
    }

    /// Throws usage failures.
    func choice() throws(Failure) -> Choice {
        var names: [Name] = []
        for name in metrics.split(separator: ",", omittingEmptySubsequences: false) {
            let name = try value("--metrics", String(name), Domain<Name>.choice)
            if !names.contains(name) { names.append(name) }
        }
        let tokenisation = try value("--tokenize", tokenize, Domain<TokenisationChoice>.choice)
        let smoothing = try smoothing()
        if !names.contains(.bleu) {
            if tokenisation != .auto { throw idle("--tokenize \(tokenize)") }
            if smoothing != .exponential { throw idle("--smooth \(smooth)") }
            if names == [.ter], lowercase {
                throw .usage(.saysNothing("--lowercase", beside: "--metrics ter"))
            }
        }
        return Choice(
            names: names, tokenisation: Tokenisation(rawValue: tokenisation.rawValue),
            smoothing: smoothing, lowercase: lowercase)
    }

    private func idle(_ option: String) -> Failure {
        .usage(.forBLEU(option))
    }

    private func smoothing() throws(Failure) -> Smoothing {
        let choice = try value("--smooth", smooth, Domain<SmoothingChoice>.choice)
        let number = try smoothValue.map { text throws(Failure) in
            try value("--smooth-value", text, Domain<Double>.decimal(above: 0, to: 1000))
        }
        if number != nil, choice != .floor, choice != .addK {
            throw .usage(.saysNothing("--smooth-value", beside: "--smooth \(smooth)"))
        }
        return switch choice {
        case .exp: .exponential
        case .none: .none
        case .floor: .floor(number ?? 0.1)
        case .addK: .addK(number ?? 1)
        }
    }
}
