import Model
import Scoring
import Text

/// A pair of an evaluation, with what is known of it alone.
package struct EvaluatedLine: Sendable {
    /// The line of the source in its file, from 1.
    package let number: Int
    /// The sentence, in words.
    package let source: String
    /// The model's translation.
    package let translation: Translation
    /// The right translations.
    package let references: [String]
    /// What the model makes of the first of them: unsmoothed nats, and tokens with the end mark.
    package let loss: ShardLoss
    /// What each metric says of the line, in the order of the measurements.
    package let scores: [Score]
    /// chrF2 of the line, by which lines are ordered.
    package let rank: Double

    /// log P of the first reference, in nats a token.
    package var logProbabilityOfReference: Double {
        loss.labels == 0 ? 0 : -loss.negativeLogLikelihood / Double(loss.labels)
    }
}

extension ModelEvaluation {
    /// Returns every pair with what is known of it alone, in the order of the text.
    ///
    /// - Parameters:
    ///   - references: one list of lines for each set of them.
    ///   - losses: what `lossesOfPairs` has computed.
    package func lines(
        against references: [[String]], losses: [ShardLoss], _ measurements: [Measurement]
    ) -> [EvaluatedLine] {
        let scores = measurements.map { $0.scoresOfLines() }
        let ranks =
            Measurement(outputs, against: references, by: ChrF())?.scoresOfLines() ?? []
        return evaluated.indices.map { index in
            EvaluatedLine(
                number: evaluated[index].sourcePlace.line, source: evaluated[index].source,
                translation: translations[index], references: references.map { $0[index] },
                loss: losses[index], scores: scores.map { $0[index] }, rank: ranks[index].value)
        }
    }
}

extension [EvaluatedLine] {
    /// The same, the worst first: by chrF2, then by what the model thinks of the reference, then by
    /// their order.
    package var worstFirst: [EvaluatedLine] { indicesWorstFirst.map { self[$0] } }

    /// The places of the worst, then of the others, in the same order.
    package var indicesWorstFirst: [Int] {
        indices.sorted { one, other in
            let (first, second) = (self[one], self[other])
            if first.rank != second.rank { return first.rank < second.rank }
            let (mine, theirs) = (
                first.logProbabilityOfReference, second.logProbabilityOfReference
            )
            return mine != theirs ? mine < theirs : one < other
        }
    }
}
