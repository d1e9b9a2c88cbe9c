import Inference
import Scoring

extension Demonstration {
    /// Source, output and reference of each sample, then the figures of the whole held-out part.
    package var text: String {
        let script = Script(of: evaluation.references)
        let bleu = evaluation.score(by: BLEU(script.tokenisation))
        let cut = script == .other ? "" : " (tok:\(script.tokenisation.rawValue))"
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
            \(fixed(bleu.value, 1))\(cut)\(bleu.details?.remark(lines: evaluation.pairs) ?? "")

            """
    }
}
