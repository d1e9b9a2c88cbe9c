import Text

/// What became of a text before a run learns from it.
package struct TextFacts: Sendable {
    package let summary: CorpusSummary
    /// Source tokens and labels to train on.
    package let trainingTokens: Int
    package let heldOutSamples: Int
    /// Pairs that were left out because they have more tokens than `positions`.
    package let tooLong: Skipped
    package let tooLongHeldOut: Skipped
    package let positions: Int
    /// How much of the text the tokenizer knows.
    package let coverage: Coverage
    package let coverageHeldOut: Coverage
    /// Characters that the tokenizer's own normaliser writes otherwise.
    package let rewritten: [Unicode.Scalar]
    /// Validation is asked for.
    package let validates: Bool
    package let vocabulary: Int
    /// The pieces that the vocabulary was to have, if the text does not allow so many.
    package let shrunkFrom: Int?
}

extension PreparedRun {
    package var textFacts: TextFacts {
        TextFacts(
            summary: summary, trainingTokens: training.tokens,
            heldOutSamples: heldOut.samples.count, tooLong: training.tooLong,
            tooLongHeldOut: heldOut.tooLong, positions: configuration.architecture.positions,
            coverage: training.coverage, coverageHeldOut: heldOut.coverage, rewritten: rewritten,
            validates: configuration.reporting.validateEvery > 0, vocabulary: tokenizer.vocabulary,
            shrunkFrom: shrunkFrom)
    }
}
