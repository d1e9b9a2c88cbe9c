/// The rules by which a text becomes samples: what is dropped, trimmed and normalised.
///
/// A run keeps the rules that it began with, for they decide every sample. A new number is due
/// whenever a text that was accepted before gives other samples or another tokenizer.
package enum TextRules: Int, Codable, Sendable, CaseIterable {
    /// Sentences are put in NFC, white space is collapsed. A pair is dropped where a side has nothing
    /// but white space. The tokenizer never sees lines with U+2585, nor what stands in `<s>`, `</s>`,
    /// `<pad>` and `<unk>`. Runs without a number follow these.
    case first = 1
    /// Characters that nobody sees are trimmed off the ends of a sentence. A side that has no
    /// others is empty. The tokenizer knows every character of the training text. A long line of
    /// running text is cut into several passages.
    case second = 2

    /// The rules that a new run follows.
    package static let current = TextRules.second
}

/// The treatment of sentences with more tokens than the model has positions.
package enum TooLong: String, CaseIterable, Codable, Sendable {
    /// Leaves the pair out and counts it.
    case skip
    /// Refuses the text.
    case stop
}
