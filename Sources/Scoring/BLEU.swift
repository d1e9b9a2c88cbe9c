import Kernels

/// BLEU of order 4, as sacreBLEU computes it.
///
///     score = min(1, exp(1 − r/h)) · exp(mean over n = 1…4 of log pₙ)
///
/// h and r are the lengths of hypotheses and references in words, of several references the nearest;
/// pₙ = 100 · matched / counted n-grams. A gram matches as often as the reference holds it that holds
/// it most often.
///
/// Statistics: h, r, matched n-grams for n = 1…4, counted n-grams for n = 1…4.
///
/// Source: Papineni et al., "BLEU", ACL 2002; Post, "A call for clarity", WMT 2018; sacreBLEU 2.6.0,
/// metrics/bleu.py.
package struct BLEU: Metric, Hashable {
    /// The longest n-grams that count, in words.
    package static let order = 4

    /// Where lines are cut into words.
    package var tokenisation: Tokenisation
    /// What an order without a match counts.
    package var smoothing: Smoothing
    /// Whether capitals count as small letters.
    package var lowercase: Bool
    /// Whether the mean is taken over those orders only of which the hypothesis has n-grams.
    package var effectiveOrder: Bool

    /// Makes the metric; the defaults are sacreBLEU's.
    package init(
        _ tokenisation: Tokenisation = .mteval13a, smoothing: Smoothing = .exponential,
        lowercase: Bool = false, effectiveOrder: Bool = false
    ) {
        self.tokenisation = tokenisation
        self.smoothing = smoothing
        self.lowercase = lowercase
        self.effectiveOrder = effectiveOrder
    }

    /// What stands behind a score.
    package struct Details: Sendable, Hashable {
        /// Percentages for n = 1…4, smoothed.
        package let precisions: [Double]
        /// The factor for texts that are too short, 0 to 1.
        package let brevityPenalty: Double
        /// In words.
        package let hypothesisLength: Int
        /// The words of the references, of several the nearest in length.
        package let referenceLength: Int

        /// Hypothesis to reference; 0 without a reference.
        package var ratio: Double {
            referenceLength == 0 ? 0 : Double(hypothesisLength) / Double(referenceLength)
        }
    }

    /// The name that sacreBLEU prints.
    package var name: String { "BLEU" }

    /// The parts of the signature: case and what else decides the score.
    package var traits: [(key: String, value: String)] {
        [
            ("case", lowercase ? "lc" : "mixed"), ("eff", effectiveOrder ? "yes" : "no"),
            ("tok", tokenisation.rawValue), ("smooth", smoothing.signature),
        ]
    }

    /// The same metric with effective order.
    package var ofSentences: BLEU {
        var metric = self
        metric.effectiveOrder = true
        return metric
    }

    /// Returns what one hypothesis shares with its references, in the order that the type names.
    package func statistics(
        of hypothesis: [Unicode.Scalar], against references: [[Unicode.Scalar]]
    ) -> [Double] {
        var vocabulary = Vocabulary()
        let hypothesis = vocabulary.numbers(of: words(of: hypothesis))
        let references = references.map { vocabulary.numbers(of: words(of: $0)) }
        var matched = [Double](repeating: 0, count: Self.order)
        var counted = matched
        for order in 1...Self.order where hypothesis.count >= order {
            var known = GramCounts(of: references[0], order: order, bits: 32)
            for reference in references.dropFirst() {
                known.formUnion(GramCounts(of: reference, order: order, bits: 32))
            }
            matched[order - 1] = Double(
                GramCounts(of: hypothesis, order: order, bits: 32).matches(known))
            counted[order - 1] = Double(hypothesis.count - order + 1)
        }
        let nearest = nearest(to: hypothesis.count, among: references.map(\.count))
        return [Double(hypothesis.count), Double(nearest)] + matched + counted
    }

    /// Returns the score of summed statistics.
    package func result<Number: BinaryFloatingPoint>(of sums: [Number]) -> Score {
        var matched = Array(sums[2..<2 + Self.order])
        var counted = Array(sums[(2 + Self.order)...])
        let hypothesisLength = Int(sums[0])
        let referenceLength = Int(sums[1])
        let brevityPenalty =
            hypothesisLength >= referenceLength
            ? 1
            : hypothesisLength == 0
                ? 0 : Elementary.exponential(1 - Double(referenceLength) / Double(hypothesisLength))
        var precisions = [Double](repeating: 0, count: Self.order)
        func score(_ value: Double) -> Score {
            Score(
                value,
                details: Details(
                    precisions: precisions, brevityPenalty: brevityPenalty,
                    hypothesisLength: hypothesisLength, referenceLength: referenceLength))
        }
        if matched.allSatisfy({ $0 == 0 }) { return score(0) }
        var halvings: Number = 1
        var orders = Self.order
        for index in 0..<Self.order {
            if case .addK(let value) = smoothing, index > 0 {
                matched[index] += Number(value)
                counted[index] += Number(value)
            }
            if counted[index] == 0 { break }
            if effectiveOrder { orders = index + 1 }
            precisions[index] =
                matched[index] == 0
                ? Double(smoothed(counted[index], &halvings))
                : Double(100 * matched[index] / counted[index])
        }
        // An order without a match makes the score 0, by a logarithm that is all but infinite.
        let logarithms = precisions.prefix(orders).map {
            $0 == 0 ? -9_999_999_999 : Elementary.logarithm($0)
        }
        let mean = logarithms.reduce(0, +) / Double(orders)
        return score(brevityPenalty * Elementary.exponential(mean))
    }

    /// The percentage of an order without a match.
    private func smoothed<Number: BinaryFloatingPoint>(
        _ counted: Number, _ halvings: inout Number
    ) -> Number {
        switch smoothing {
        case .none, .addK: return 0
        case .floor(let value): return Number(100 * value) / counted
        case .exponential:
            halvings *= 2
            return 100 / (halvings * counted)
        }
    }

    private func words(of line: [Unicode.Scalar]) -> [Word] {
        tokenisation.words(of: lowercase ? line.lowercased : line)
    }

    /// Of two as near as each other the shorter.
    private func nearest(to length: Int, among lengths: [Int]) -> Int {
        lengths.min { (abs($0 - length), $0) < (abs($1 - length), $1) }!
    }
}
