import Scoring

/// A score as a part of a line of JSON.
struct ScoreReport: Encodable {
    let name: String
    let score: Double
    let signature: String
    /// Of BLEU only: percentages for n-grams of 1…4, the brevity penalty, lengths in words.
    var precisions: [Double]?
    var brevityPenalty: Double?
    var hypothesisLength: Int?
    var referenceLength: Int?
    /// Where 95 of 100 scores of drawn texts lie.
    var confidence: Confidence?
    /// The comparison with a baseline.
    var against: Against?

    struct Confidence: Encodable {
        let mean: Double
        let margin: Double

        init(_ confidence: Resampling.Confidence) {
            mean = confidence.mean
            margin = confidence.margin
        }
    }

    struct Against: Encodable {
        let score: Double
        let confidence: Confidence
        let p: Double
    }

    enum CodingKeys: String, CodingKey {
        case name, score, signature, precisions, confidence, against
        case brevityPenalty = "brevity_penalty"
        case hypothesisLength = "hypothesis_length"
        case referenceLength = "reference_length"
    }

    /// The score of a whole text.
    init(_ measurement: Measurement) {
        self.init(measurement.score, by: measurement.metric, measurement.signature)
        confidence = measurement.confidence.map(Confidence.init)
        if let comparison = measurement.comparison, let baseline = measurement.baseline {
            against = Against(
                score: baseline.value, confidence: Confidence(comparison.baseline),
                p: comparison.probability)
        }
    }

    /// The score of one line of a text.
    init(_ score: Score, of measurement: Measurement) {
        self.init(score, by: ofSentences(measurement.metric), references: measurement.references)
    }

    private init(_ score: Score, by metric: any Metric, references: Int) {
        self.init(score, by: metric, Signature(metric, references: references))
    }

    private init(_ score: Score, by metric: any Metric, _ signature: Signature) {
        name = metric.name
        self.score = score.value
        self.signature = signature.text
        precisions = score.details?.precisions
        brevityPenalty = score.details?.brevityPenalty
        hypothesisLength = score.details?.hypothesisLength
        referenceLength = score.details?.referenceLength
    }
}

/// The metric as it scores a line alone.
private func ofSentences(_ metric: some Metric) -> any Metric { metric.ofSentences }

/// Measures a text of at least one line.
func measured(
    _ hypotheses: [String], against references: [[String]], baseline: [String]?,
    by metric: some Metric, resampling: Resampling?
) -> Measurement {
    guard
        let measurement = Measurement(
            hypotheses, against: references, baseline: baseline, by: metric, resampling: resampling)
    else { preconditionFailure("a text of no line") }
    return measurement
}
