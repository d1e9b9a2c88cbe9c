import Inference
import Scoring
import Words

/// The line of JSON of `evaluate`; CONTRACT fixes the first three keys.
struct EvaluationReport: Encodable {
    let loss: Double
    let perplexity: Double
    /// Of a translator only.
    var bleu: Double?
    /// What each metric says of a translator, with its signature.
    var scores: [ScoreReport]?
    var pairs: Int?
    /// Pairs and lines that were left out for lack of words, and those that are too long.
    var dropped: Int?
    var tooLong: Int?
    /// Of a language model only.
    var windows: Int?
    let tokens: Int
    let unknownTokens: Int
    let step: Int
    let digest: String
    let checkpoint: String
    /// What must be known of the script to read the scores.
    var notes: [String]?
    /// The worst lines, if they were asked for.
    var worst: [EvaluatedLineReport]?

    enum CodingKeys: String, CodingKey {
        case loss, perplexity, bleu, scores, pairs, dropped, windows, tokens, step, digest,
            checkpoint, notes, worst
        case tooLong = "too_long"
        case unknownTokens = "unknown_tokens"
    }
}

/// A pair of an evaluation as JSON. Log-probabilities are nats a token.
struct EvaluatedLineReport: Encodable {
    /// Of the source in its file, counted from 1.
    let line: Int
    let source, output: String
    let references: [String]
    let referenceTokens: Int
    let referenceLogProbability: Double
    let outputTokens: Int
    let outputLogProbability: Double
    let scores: [ScoreReport]

    enum CodingKeys: String, CodingKey {
        case line, source, output, references, scores
        case referenceTokens = "reference_tokens"
        case referenceLogProbability = "reference_log_probability"
        case outputTokens = "output_tokens"
        case outputLogProbability = "output_log_probability"
    }

    init(_ line: EvaluatedLine, _ measurements: [Measurement]) {
        self.line = line.number
        source = line.source
        output = line.translation.text
        references = line.references
        referenceTokens = line.loss.labels
        referenceLogProbability = line.logProbabilityOfReference
        outputTokens = line.translation.tokens
        outputLogProbability = line.translation.logProbabilityOfToken
        scores = zip(line.scores, measurements).map { ScoreReport($0, of: $1) }
    }
}

/// Pairs of an evaluation as a table.
struct EvaluatedLineTable {
    let measurements: [Measurement]

    /// The names of the columns.
    var head: String {
        let columns = [
            "line", "reference_tokens", "reference_log_probability", "output_tokens",
            "output_log_probability",
        ]
        return (columns + measurements.map(\.metric.name)).joined(separator: "\t") + "\n"
    }

    func row(_ line: EvaluatedLine) -> String {
        let cells = [
            "\(line.number)", "\(line.loss.labels)", fixed(line.logProbabilityOfReference, 4),
            "\(line.translation.tokens)", fixed(line.translation.logProbabilityOfToken, 4),
        ]
        return (cells + line.scores.map { fixed($0.value, 2) }).joined(separator: "\t") + "\n"
    }

    /// A pair for a person: texts under each other, then what is known of them.
    func paragraph(_ line: EvaluatedLine) -> String {
        let references = line.references.map { "reference   \($0.visibleLine)\n" }.joined()
        let scores = zip(measurements, line.scores).map {
            "\($0.metric.name) \(fixed($1.value, 1))"
        }
        return """

            line        \(line.number)
            source      \(line.source.visibleLine)
            output      \(line.translation.text.visibleLine)
            \(references)\
            scores      \(scores.joined(separator: ", "))
            log P       \(fixed(line.translation.logProbabilityOfToken, 3)) a token of the output, \
            \(fixed(line.logProbabilityOfReference, 3)) of the reference

            """
    }
}
