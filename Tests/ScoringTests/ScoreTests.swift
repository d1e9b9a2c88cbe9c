import Scoring
import Testing

@Suite struct ScoreTests {
    @Test(arguments: Golden.texts)
    func `BLEU of a text is sacreBLEU's with every tokenisation`(_ text: Golden.Text) throws {
        let lines = try Lines(text)
        for row in text.bleu {
            let metric = BLEU(
                try #require(Tokenisation(rawValue: row.tok)), lowercase: row.lowercase ?? false)
            try expect(metric, lines, row.refs, row.score, row.line)
        }
    }

    @Test(arguments: Golden.texts)
    func `orders without a match are smoothed as sacreBLEU does`(_ text: Golden.Text) throws {
        let lines = try Lines(text)
        for row in text.smoothed {
            let metric = BLEU(smoothing: row.smoothing, effectiveOrder: row.effective)
            let range = row.start..<row.end
            let statistics = metric.statistics(
                of: Array(lines.hypotheses[range]), against: [Array(lines.references[0][range])])
            let score = try #require(metric.score(of: statistics))
            #expect(Figure.decimal(score.value, 10) == row.score, "\(row)")
            #expect(score.line(metric, references: 1) == row.line)
        }
    }

    @Test(arguments: Golden.texts)
    func `chrF, chrF++ and TER of a text are sacreBLEU's`(_ text: Golden.Text) throws {
        let lines = try Lines(text)
        for row in text.metrics where row.metric != "bleu" {
            try expect(metric(row.metric, text), lines, row.refs, row.score, row.line)
        }
    }

    @Test(arguments: Golden.texts)
    func `every single line has sacreBLEU's scores`(_ text: Golden.Text) throws {
        let lines = try Lines(text)
        for (name, count) in [
            ("bleu", 1), ("bleu2", 2), ("chrf", 1), ("chrf++", 2), ("ter", 1), ("ter3", 3),
        ] {
            let metric = metric(name.trimmingDigits, text).ofSentences
            let expected = try #require(text.sentences[name]).split(separator: " ")
            let scores = metric.statistics(
                of: lines.hypotheses, against: Array(lines.references.prefix(count))
            ).map { metric.result(of: $0).value }
            try #require(scores.count == expected.count)
            for index in scores.indices {
                #expect(Figure.decimal(scores[index], 2) == expected[index], "\(name) \(index + 1)")
            }
        }
    }

    @Test func `Chinese lines that are exactly right score 100`() throws {
        let text = try #require(Golden.texts.first { $0.name == "zh_CN" })
        let lines = try Lines(text).references[0]
        let metric = BLEU(Script(of: lines).tokenisation)
        let score = try #require(metric.score(of: lines, against: [lines]))
        #expect(abs(score.value - 100) < 1e-9)
    }

    private func expect(
        _ metric: some Metric, _ lines: Lines, _ count: Int, _ score: String, _ line: String
    ) throws {
        let statistics = metric.statistics(
            of: lines.hypotheses, against: Array(lines.references.prefix(count)))
        let found = try #require(metric.score(of: statistics))
        #expect(Figure.decimal(found.value, 10) == score)
        #expect(found.line(metric, references: count) == line)
    }
}

/// By the name that the golden file calls it.
func metric(_ name: String, _ text: Golden.Text) -> any Metric {
    switch name {
    case "bleu": BLEU(Tokenisation(rawValue: text.tok)!)
    case "chrf": ChrF()
    case "chrf++": ChrF(wordOrder: 2)
    case "chrf-lc": ChrF(wordOrder: 2, lowercase: true)
    default: TER()
    }
}

extension String {
    fileprivate var trimmingDigits: String { String(prefix { !$0.isNumber }) }
}
