import Inference

extension Demonstration {
    /// Source, output and reference of each sample, then the figures of the whole held-out part.
    package var text: String {
        let shown = samples.map { sample in
            """
            source     \(sample.source.visibleLine)
            output     \(sample.output.visibleLine)
            reference  \(sample.reference.visibleLine)

            """
        }
        return """
            \(shown.joined(separator: "\n"))
            \(grouped(evaluation.pairs)) held-out pairs: loss \(fixed(evaluation.loss, 3)) nats a \
            token, perplexity \(fixed(evaluation.perplexity, 2)), BLEU \
            \(fixed(evaluation.bleu.score, 1))\(evaluation.bleu.remark)

            """
    }
}
