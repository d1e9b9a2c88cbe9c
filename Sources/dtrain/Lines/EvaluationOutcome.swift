import Inference
import Scoring
import Text
import Words

/// What `evaluate` has found about a translator.
struct EvaluationOutcome {
    let model: TrainedModel
    /// Width of the search.
    let beam: Int
    let evaluation: ModelEvaluation
    let counts: LineCounts
    /// What the text is called.
    let name: String
    let references: [[String]]
    let script: Script
    let measurements: [Measurement]
    /// What it was compared with; empty where it was not.
    let rival: String
    /// What must be known of the script to read the scores.
    let notes: [String]
    let worst: [EvaluatedLine]

    var tooLong: Skipped { counts.tooLong.and(evaluation.tooLong) }

    /// For a person.
    var text: String {
        let table = EvaluatedLineTable(measurements: measurements)
        return """
            checkpoint  \(model.checkpoint.folder.path.visibleLine)
            pairs       \(grouped(evaluation.pairs)), \(name.visibleLine)
            \(counts.dropped > 0 ? "left out    \(sentence(of: counts))\n" : "")\
            \(tooLong.count > 0
                ? "left out    \(sentence(of: tooLong, positions: model.positions))\n" : "")\
            \(unknownLine(evaluation.coverage))\
            loss        \(fixed(evaluation.loss, 4)) nats a target token
            perplexity  \(fixed(evaluation.perplexity, 3))
            \(measurements.map(line).joined())\
            \(notes.map { "note        \($0)\n" }.joined())\
            \(worst.map(table.paragraph).joined())
            """
    }

    private func line(_ measurement: Measurement) -> String {
        let score = measurement.score
        let details =
            score.details.map { " \($0.text)\($0.remark(lines: evaluation.pairs))" } ?? ""
        let spread = measurement.confidence.map { confidence in
            confidence.mean > 0
                ? " (μ = \(fixed(confidence.mean, 2)) ± \(fixed(confidence.margin, 2)))" : ""
        }
        let comparison = measurement.comparison(named: rival).map {
            "            \($0.visibleLine)\n"
        }
        return """
            \(padded(measurement.metric.name, 12))\(fixed(score.value, 2))\(spread ?? "")\(details)
                        \(measurement.signature.text)
            \(comparison ?? "")
            """
    }

    /// For a program.
    var report: EvaluationReport {
        let checkpoint = model.checkpoint.folder
        // The contract's BLEU is the usual one, whatever else was asked for.
        let usual = BLEU(script.tokenisation)
        let same = measurements.first {
            $0.metric.name == usual.name
                && $0.signature
                    == Signature(
                        usual, references: references.count, resampling: $0.resampling)
        }
        let bleu =
            same?.score
            ?? measured(
                evaluation.outputs, against: references, baseline: nil, by: usual, resampling: nil
            ).score
        return EvaluationReport(
            loss: evaluation.loss, perplexity: evaluation.perplexity, bleu: bleu.value,
            scores: measurements.map { ScoreReport($0) }, pairs: evaluation.pairs,
            dropped: counts.dropped, tooLong: tooLong.count, tokens: evaluation.labels,
            unknownTokens: evaluation.coverage.unknownTokens, step: checkpoint.step,
            digest: checkpoint.digest, checkpoint: checkpoint.path, notes: notes,
            worst: worst.isEmpty ? nil : worst.map { EvaluatedLineReport($0, measurements) })
    }
}
