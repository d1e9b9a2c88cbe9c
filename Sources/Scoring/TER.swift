/// TER, the translation edit rate: insertions, deletions, substitutions and shifts of a sequence of
/// words that make the hypothesis the reference, for 100 words of the reference. Lower is better.
///
/// Case does not count; words are what stands between white space. Of several references the one
/// that needs fewest edits counts, and the mean of their lengths.
///
/// Statistics: edits, mean length of the references in words.
///
/// Source: Snover et al., "A study of translation edit rate", AMTA 2006; sacreBLEU 2.6.0,
/// metrics/ter.py and lib_ter.py (after Tercom).
package struct TER: Metric, Hashable {
    /// Makes the metric with sacreBLEU's choices.
    package init() {}

    /// The name that sacreBLEU prints.
    package var name: String { "TER" }

    /// The parts of the signature: case and what else decides the score.
    package var traits: [(key: String, value: String)] {
        [("case", "lc"), ("tok", "tercom"), ("norm", "no"), ("punct", "yes"), ("asian", "no")]
    }

    /// Returns what one hypothesis shares with its references, in the order that the type names.
    package func statistics(
        of hypothesis: [Unicode.Scalar], against references: [[Unicode.Scalar]]
    ) -> [Double] {
        var vocabulary = Vocabulary()
        let hypothesis = vocabulary.numbers(of: hypothesis.lowercased.splitAtSpace)
        let references = references.map { vocabulary.numbers(of: $0.lowercased.splitAtSpace) }
        let edits = references.map { ShiftSearch.edits(from: hypothesis, to: $0) }.min()!
        let length = references.reduce(0) { $0 + $1.count }
        return [Double(edits), Double(length) / Double(references.count)]
    }

    /// Returns the score of summed statistics.
    package func result<Number: BinaryFloatingPoint>(of sums: [Number]) -> Score {
        let (edits, length) = (sums[0], sums[1])
        if length > 0 {
            return Score(
                Double(100 * (edits / length)), isSinglePrecision: Number.self == Float.self)
        }
        return Score(edits > 0 ? 100 : 0)
    }
}
