import Foundation

/// Corpus BLEU of order 4 with sacreBLEU's defaults: its 13a tokenisation, exponential smoothing,
/// upper and lower case apart, one reference each.
///
///     score = min(1, exp(1 − r/h)) · exp(mean over n = 1…4 of log pₙ)
///
/// h and r are the lengths of hypotheses and references in words, pₙ = 100 · matched / counted
/// n-grams; the k-th pₙ without a match is 100 / (2ᵏ · counted).
///
/// Source: Papineni et al., "BLEU", ACL 2002; Post, "A call for clarity", WMT 2018.
package struct BLEU: Sendable, Hashable {
    /// The longest n-gram that is counted, in words.
    package static let order = 4

    /// The score, 0 to 100; 0 where an order has no n-gram at all.
    package let score: Double
    /// The percentages pₙ for n = 1…4, smoothed; all 0 where nothing matches.
    package let precisions: [Double]
    /// The factor min(1, exp(1 − r/h)) for hypotheses that are too short, 0 to 1.
    package let brevityPenalty: Double
    /// The number of words in all hypotheses, h.
    package let hypothesisLength: Int
    /// The number of words in all references, r.
    package let referenceLength: Int
    /// Pairs of a hypothesis and a reference.
    package let count: Int

    /// The references have too few words for runs of four: as where a script puts no blanks between
    /// them.
    package var saysLittle: Bool { count > 0 && referenceLength < Self.order * count }

    /// Compares hypothesis n with reference n; there must be as many of one as of the other.
    package static func corpus(hypotheses: [String], references: [String]) -> BLEU {
        precondition(
            hypotheses.count == references.count,
            "\(hypotheses.count) hypotheses, \(references.count) references")
        var counts = Counts()
        for (hypothesis, reference) in zip(hypotheses, references) {
            counts.add(Self.words(of: hypothesis), against: Self.words(of: reference))
        }
        return BLEU(counts, of: references.count)
    }

    private init(_ counts: Counts, of count: Int) {
        self.count = count
        hypothesisLength = counts.hypothesisLength
        referenceLength = counts.referenceLength
        brevityPenalty =
            hypothesisLength >= referenceLength
            ? 1
            : hypothesisLength == 0
                ? 0 : exp(1 - Double(referenceLength) / Double(hypothesisLength))
        var precisions = [Double](repeating: 0, count: Self.order)
        if counts.matched.contains(where: { $0 > 0 }) {
            var smoothing = 1.0
            for index in 0..<Self.order where counts.counted[index] > 0 {
                let counted = Double(counts.counted[index])
                if counts.matched[index] == 0 { smoothing *= 2 }
                precisions[index] =
                    counts.matched[index] == 0
                    ? 100 / (smoothing * counted) : 100 * Double(counts.matched[index]) / counted
            }
        }
        self.precisions = precisions
        // An order of which no n-gram exists leaves nothing of the geometric mean.
        score =
            precisions.contains(0)
            ? 0 : brevityPenalty * exp(precisions.reduce(0) { $0 + log($1) } / Double(Self.order))
    }
}

/// Matched and counted n-grams of a corpus.
private struct Counts {
    var matched = [Int](repeating: 0, count: BLEU.order)
    var counted = [Int](repeating: 0, count: BLEU.order)
    var hypothesisLength = 0
    var referenceLength = 0

    mutating func add(_ hypothesis: [[Unicode.Scalar]], against reference: [[Unicode.Scalar]]) {
        hypothesisLength += hypothesis.count
        referenceLength += reference.count
        for order in 1...BLEU.order where hypothesis.count >= order {
            var left = Self.grams(of: reference, order: order)
            for start in 0...(hypothesis.count - order) {
                counted[order - 1] += 1
                let gram = hypothesis[start..<start + order]
                if let count = left[gram], count > 0 {
                    matched[order - 1] += 1
                    left[gram] = count - 1
                }
            }
        }
    }

    private static func grams(
        of words: [[Unicode.Scalar]], order: Int
    ) -> [ArraySlice<[Unicode.Scalar]>: Int] {
        var grams: [ArraySlice<[Unicode.Scalar]>: Int] = [:]
        if words.count < order { return grams }
        for start in 0...(words.count - order) {
            grams[words[start..<start + order], default: 0] += 1
        }
        return grams
    }
}
