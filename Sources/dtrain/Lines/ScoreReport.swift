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

    init(
        _ score: Score, by metric: any Metric, references: Int, resampling: Resampling? = nil
    ) {
        name = metric.name
        self.score = score.value
        signature = Signature(metric, references: references, resampling: resampling).text
        precisions = score.details?.precisions
        brevityPenalty = score.details?.brevityPenalty
        hypothesisLength = score.details?.hypothesisLength
        referenceLength = score.details?.referenceLength
    }
}
