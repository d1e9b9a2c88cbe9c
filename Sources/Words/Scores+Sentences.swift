import Scoring

extension Script {
    /// Returns why BLEU cuts words as it does; nil where it cuts at blanks and marks.
    package var reason: String? {
        switch self {
        case .other: nil
        case .chinese:
            "the references are Chinese, which has no blanks: BLEU takes each character (tok:zh)"
        case .japanese, .korean:
            "the references are \(name): BLEU takes each character (tok:char); published scores of "
                + "\(name) use MeCab, and do not compare"
        case .thai, .lao, .khmer, .burmese:
            "the references are \(name), which has no blanks between words: BLEU takes each "
                + "character (tok:char)"
        }
    }

    /// Returns what is to be said of measures that count words between blanks; nil where there are
    /// blanks.
    package var caution: String? {
        switch self {
        case .other, .korean: nil
        default: "TER and chrF++ count words between blanks, of which \(name) has few: prefer chrF"
        }
    }

    private var name: String {
        switch self {
        case .chinese: "Chinese"
        case .japanese: "Japanese"
        case .korean: "Korean"
        case .thai: "Thai"
        case .lao: "Lao"
        case .khmer: "Khmer"
        case .burmese: "Burmese"
        case .other: "of another script"
        }
    }
}

extension Resampling.Comparison {
    /// Returns what a comparison with a baseline says: `against base.fr 21.30 (μ = 21.28 ± 0.90),
    /// p = 0.0010: the two differ`.
    package func sentence(_ baselineScore: Score, named file: String) -> String {
        let verdict =
            probability < 0.05 ? "the two differ" : "chance alone may make this difference"
        let spread =
            baseline.mean > 0
            ? " (μ = \(fixed(baseline.mean, 2)) ± \(fixed(baseline.margin, 2)))" : ""
        return "against \(shown(file)) \(fixed(baselineScore.value, 2))\(spread), "
            + "p = \(fixed(probability, 4)): \(verdict)"
    }
}

extension Measurement {
    /// Returns what the comparison says; nil where there is none.
    package func comparison(named file: String) -> String? {
        guard let comparison, let baseline else { return nil }
        return comparison.sentence(baseline, named: file)
    }
}
