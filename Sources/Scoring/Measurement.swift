/// What a metric says of a text, how sure that is, and how another text for the same references does.
package struct Measurement: Sendable {
    /// The metric that was asked.
    package let metric: any Metric
    /// How many references each line has.
    package let references: Int
    /// The texts that were drawn; nil where none were.
    package let resampling: Resampling?
    /// Statistics of each line.
    package let statistics: [[Double]]
    /// The score of the whole text.
    package let score: Score
    /// Where 95 of 100 scores of drawn texts lie.
    package let confidence: Resampling.Confidence?
    /// The score of the other text; nil where there is none.
    package let baseline: Score?
    /// The comparison with the other text.
    package let comparison: Resampling.Comparison?

    /// Measures; nil for a text without lines.
    ///
    /// - Parameters:
    ///   - references: one list of lines for each set of references, as long as the hypotheses.
    ///   - baseline: other translations of the same lines, compared where texts are drawn.
    package init?(
        _ hypotheses: [String], against references: [[String]], baseline: [String]? = nil,
        by metric: some Metric, resampling: Resampling? = nil
    ) {
        let statistics = metric.statistics(of: hypotheses, against: references)
        guard let score = metric.score(of: statistics) else { return nil }
        self.metric = metric
        self.references = references.count
        self.resampling = resampling
        self.statistics = statistics
        self.score = score
        let others = baseline.map { metric.statistics(of: $0, against: references) }
        self.baseline = others.flatMap { metric.score(of: $0) }
        comparison = resampling.flatMap { resampling in
            others.map { resampling.comparison(of: statistics, with: $0, by: metric) }
        }
        confidence =
            comparison?.confidence
            ?? resampling.map { $0.confidence(in: statistics, by: metric) }
    }

    /// What must be known to repeat the score.
    package var signature: Signature {
        Signature(metric, references: references, resampling: resampling)
    }

    /// The line that sacreBLEU prints.
    package var line: String {
        score.line(
            metric, references: references, confidence: confidence, resampling: resampling)
    }

    /// The score of each line alone, or of those lines that are asked for, in their order.
    package func scoresOfLines(_ lines: [Int]? = nil) -> [Score] {
        Self.scores(of: lines.map { $0.map { statistics[$0] } } ?? statistics, by: metric)
    }

    /// The score of a text of some of the lines; nil if those are none.
    package func score(of lines: [Int]) -> Score? {
        metric.score(of: lines.map { statistics[$0] })
    }

    private static func scores(of statistics: [[Double]], by metric: some Metric) -> [Score] {
        let ofSentences = metric.ofSentences
        return statistics.map { ofSentences.result(of: $0) }
    }
}
