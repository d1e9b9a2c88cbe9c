extension Score {
    /// As sacreBLEU prints it:
    ///
    ///     BLEU|nrefs:1|…|version:2.6.0 = 48.95 (μ = 48.90 ± 1.02) 87.5/66.7/… (BP = 0.560 …)
    package func line(
        _ metric: any Metric, references: Int, places: Int = 2,
        confidence: Resampling.Confidence? = nil, resampling: Resampling? = nil
    ) -> String {
        let signature = Signature(metric, references: references, resampling: resampling)
        var line = "\(metric.name)|\(signature.text) = \(Figure.decimal(value, places))"
        if let confidence, confidence.mean > 0 {
            let mean = Figure.decimal(confidence.mean, places)
            line += " (μ = \(mean) ± \(Figure.decimal(confidence.margin, places)))"
        }
        return details.map { "\(line) \($0.text)" } ?? line
    }
}

extension BLEU.Details {
    /// `87.5/66.7/60.0/50.0 (BP = 0.560 ratio = 0.633 hyp_len = 7 ref_len = 11)`.
    package var text: String {
        let shown = precisions.map { Figure.decimal($0, 1) }.joined(separator: "/")
        return "\(shown) (BP = \(Figure.decimal(brevityPenalty, 3)) ratio = "
            + "\(Figure.decimal(ratio, 3)) hyp_len = \(hypothesisLength) "
            + "ref_len = \(referenceLength))"
    }
}
