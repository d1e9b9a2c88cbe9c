/// A measure of how near translations come to their references.
///
/// A score is a function of sums: every line gives its statistics, the statistics of a text are
/// those of its lines added up. So a text that is drawn anew from the same lines costs no comparison.
package protocol Metric: Sendable {
    /// What one hypothesis has in common with its references, of which there is at least one.
    func statistics(
        of hypothesis: [Unicode.Scalar], against references: [[Unicode.Scalar]]
    ) -> [Double]

    /// The score of summed statistics, computed in the precision in which they come.
    func result<Number: BinaryFloatingPoint>(of sums: [Number]) -> Score

    /// As sacreBLEU prints it, such as `chrF2++`.
    var name: String { get }

    /// What sacreBLEU's signature says of the metric, in its order.
    var traits: [(key: String, value: String)] { get }

    /// Sentence scores: BLEU takes only the orders that a sentence has.
    var ofSentences: Self { get }
}

extension Metric {
    /// The same metric: most score a sentence as they score a text.
    package var ofSentences: Self { self }

    /// Statistics of all lines.
    ///
    /// - Parameter references: one list of lines for each set of references, as long as the hypotheses.
    package func statistics(of hypotheses: [String], against references: [[String]]) -> [[Double]] {
        precondition(
            !references.isEmpty && references.allSatisfy { $0.count == hypotheses.count },
            "\(hypotheses.count) hypotheses, \(references.map(\.count)) references")
        return hypotheses.indices.map { index in
            statistics(
                of: Array(hypotheses[index].unicodeScalars),
                against: references.map { Array($0[index].unicodeScalars) })
        }
    }

    /// The score of a whole text; nil of a text without lines.
    package func score(of hypotheses: [String], against references: [[String]]) -> Score? {
        score(of: statistics(of: hypotheses, against: references))
    }

    /// The score of a whole text by the statistics of its lines; nil of a text without lines.
    package func score(of statistics: [[Double]]) -> Score? {
        guard let first = statistics.first else { return nil }
        var sums = first
        for line in statistics.dropFirst() {
            for index in sums.indices { sums[index] += line[index] }
        }
        return result(of: sums)
    }
}
