import Inference

extension Report {
    /// As Markdown, which code hosts show; pictures become tables.
    package var markdown: String {
        var text = "# Evaluation of a translation model\n\n"
        text += Markdown.table(
            ["", ""],
            facts.map { [Markdown.escaped($0.name), Markdown.escaped($0.value)] }
                + [
                    ["loss", "\(fixed(loss, 4)) nats a target token"],
                    ["perplexity", fixed(perplexity, 3)],
                ], numbersFrom: 2)
        if !notes.isEmpty {
            text += "\n" + notes.map { "- \(Markdown.escaped($0))\n" }.joined()
        }
        text += "\n## Scores\n\n"
        text += Markdown.table(
            ["metric", "score", "95 of 100 resampled texts", "signature of sacreBLEU"],
            measurements.map {
                [
                    "\(Markdown.escaped($0.metric.name)) (\(better($0)))",
                    fixed($0.score.value, 2), bounds($0),
                    "`\($0.signature.text)`"
                        .replacing("|", with: "\\|"),
                ]
            }, numbersFrom: 4)
        let comparisons = measurements.compactMap { measurement in
            measurement.comparison(named: rival).map { (measurement.metric.name, $0) }
        }
        if !comparisons.isEmpty {
            text +=
                "\n"
                + comparisons.map { "- \(Markdown.escaped("\($0.0) \($0.1)"))\n" }.joined()
        }
        text += "\n## By length of the reference\n\n"
        text += Markdown.table(
            ["tokens", "sentences"] + measurements.map { Markdown.escaped($0.metric.name) }
                + ["output/reference", "loss"],
            lengths.map { length in
                [length.label, grouped(length.lines.count)]
                    + length.scores.map { fixed($0.value, 1) }
                    + [fixed(length.ratio, 2), fixed(length.loss, 3)]
            })
        text += "\n## Sentences by chrF2\n\n"
        text += Markdown.table(
            ["chrF2", "sentences"],
            histogram.enumerated().map {
                ["\($0 * 10)–\($0 * 10 + ($0 == 9 ? 10 : 9))", grouped($1)]
            })
        for group in samples {
            text += "\n## \(group.title) sentences\n"
            for line in group.lines { text += "\n" + sample(line) }
        }
        for attention in attention {
            text += "\n## Attention: \(Markdown.escaped(attention.source))\n\n"
            text += Markdown.table(
                ["output"] + attention.view.layers.map { Markdown.escaped($0.name) },
                attention.view.rows.indices.map { row in
                    [Markdown.escaped(attention.view.rows[row])]
                        + attention.view.layers.map { most(attention.view, $0, row) }
                }, numbersFrom: 9)
        }
        return text
    }

    private func sample(_ line: EvaluatedLine) -> String {
        let scores = zip(measurements, line.scores).map {
            "\($0.metric.name) \(fixed($1.value, 1))"
        }
        let references = line.references.map { ["reference", Markdown.escaped($0)] }
        return Markdown.table(
            ["line", "\(line.number)"],
            [
                ["source", Markdown.escaped(line.source)],
                ["output", Markdown.escaped(line.translation.text)],
            ] + references + [
                ["scores", Markdown.escaped(scores.joined(separator: ", "))],
                [
                    "log P a token",
                    "\(fixed(line.translation.logProbabilityOfToken, 3)) of the output, "
                        + "\(fixed(line.logProbabilityOfReference, 3)) of the reference",
                ],
            ], numbersFrom: 2)
    }

    /// The word that the heads of a layer look at most, in their mean.
    private func most(_ view: AttentionView, _ layer: AttentionView.Layer, _ row: Int) -> String {
        let shares = view.columns.indices.map { layer.mean(row: row, column: $0) }
        guard let best = shares.indices.max(by: { shares[$0] < shares[$1] }) else { return "" }
        return "\(Markdown.escaped(view.columns[best])) \(fixed(shares[best], 2))"
    }
}
