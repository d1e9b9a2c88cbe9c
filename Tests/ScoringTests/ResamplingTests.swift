import Scoring
import Testing

@Suite struct ResamplingTests {
    @Test func `draws are those of numpy's default generator`() throws {
        for expected in try Golden.stored.get().draws {
            var generator = PCG64(seed: 12345)
            let draws = expected.draws.map { _ in generator.next(below: expected.limit) }
            #expect(draws == expected.draws, "below \(expected.limit)")
        }
    }

    @Test(arguments: Golden.texts)
    func `confidence is sacreBLEU's`(_ text: Golden.Text) throws {
        let lines = try Lines(text)
        for row in text.metrics { try expect(metric(row.metric, text), row, lines) }
    }

    private func expect(_ metric: some Metric, _ row: Golden.Row, _ lines: Lines) throws {
        let references = Array(lines.references.prefix(row.refs))
        let statistics = metric.statistics(of: lines.hypotheses, against: references)
        let score = try #require(metric.score(of: statistics))
        let resampling = Resampling.standard
        let confidence = resampling.confidence(in: statistics, by: metric)
        #expect(Figure.decimal(confidence.mean, 10) == row.mean, "\(row.signature)")
        #expect(Figure.decimal(confidence.margin, 10) == row.margin, "\(row.signature)")
        #expect(
            score.line(
                metric, references: row.refs, confidence: confidence, resampling: resampling)
                == row.confident)
    }

    @Test(arguments: Golden.texts)
    func `the paired bootstrap is sacreBLEU's`(_ text: Golden.Text) throws {
        let lines = try Lines(text)
        for row in text.metrics { expectPair(metric(row.metric, text), row, lines) }
    }

    private func expectPair(_ metric: some Metric, _ row: Golden.Row, _ lines: Lines) {
        let references = Array(lines.references.prefix(row.refs))
        let comparison = Resampling(resamples: 300).comparison(
            of: metric.statistics(of: lines.hypotheses, against: references),
            with: metric.statistics(of: lines.others, against: references), by: metric)
        let found = [
            comparison.confidence.mean, comparison.confidence.margin, comparison.baseline.mean,
            comparison.baseline.margin, comparison.probability,
        ].map { Figure.decimal($0, 10) }
        let paired = row.paired
        #expect(
            found == [
                paired.mean, paired.margin, paired.baselineMean, paired.baselineMargin, paired.p,
            ], "\(row.metric) \(row.refs)")
    }
}
