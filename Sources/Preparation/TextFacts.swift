import Text

/// Counts of what became of a text before a run learns from it.
package struct TextFacts: Codable, Sendable {
    /// Counts of lines, and of pairs or passages.
    package let summary: CorpusSummary
    /// Source tokens and labels to train on.
    package let trainingTokens: Int
    /// Number of samples that are held out.
    package let heldOutSamples: Int
    /// Pairs that were left out because they have more tokens than `positions`.
    package let tooLong: Skipped
    /// The same of the held-out samples.
    package let tooLongHeldOut: Skipped
    /// The most tokens that a sample may have, its mark included.
    package let positions: Int
    /// Counts of the text's tokens, and of those that the tokenizer does not know.
    package let coverage: Coverage
    /// The same of the held-out samples.
    package let coverageHeldOut: Coverage
    /// `rewritten` as a text.
    let rewrittenText: String
    /// Validation is asked for.
    package let validates: Bool
    /// Number of pieces of the tokenizer, marks included.
    package let vocabulary: Int
    /// The pieces that the vocabulary was to have, if the text does not allow so many.
    package let shrunkFrom: Int?

    /// Characters that the tokenizer's own normaliser writes otherwise.
    package var rewritten: [Unicode.Scalar] { Array(rewrittenText.unicodeScalars) }
}

extension PreparedRun {
    /// The counts of this run's text, for the start of the run.
    package var textFacts: TextFacts {
        TextFacts(
            summary: summary, trainingTokens: training.tokens,
            heldOutSamples: heldOut.samples.count, tooLong: training.tooLong,
            tooLongHeldOut: heldOut.tooLong, positions: configuration.architecture.positions,
            coverage: training.coverage, coverageHeldOut: heldOut.coverage,
            rewrittenText: String(String.UnicodeScalarView(rewritten)),
            validates: configuration.reporting.validateEvery > 0, vocabulary: tokenizer.vocabulary,
            shrunkFrom: shrunkFrom)
    }
}
