/// Sentences that were left out because they are too long.
package struct Skipped: Codable, Sendable, Hashable {
    /// The number of places that are kept for messages.
    package static let placesShown = 5

    /// The number of sentences left out.
    package private(set) var count = 0
    /// The places of the first few, at most `placesShown`.
    package private(set) var places: [Place] = []

    /// Makes a count of nothing.
    package init() {}

    /// Counts one more, and keeps its place if it is among the first.
    package mutating func add(_ place: Place) {
        count += 1
        if places.count < Self.placesShown { places.append(place) }
    }

    /// Returns both together, the places by their lines.
    package func and(_ other: Skipped) -> Skipped {
        var both = Skipped()
        both.count = count + other.count
        let all = (places + other.places).sorted { $0.line < $1.line }
        both.places = Array(all.prefix(Self.placesShown))
        return both
    }
}

/// The counts of what became of the lines of one file, or of two that belong together.
package struct LineCounts: Codable, Sendable, Hashable {
    /// Lines, or passages of running text.
    package internal(set) var read = 0
    /// Lines without any word.
    package internal(set) var blank = 0
    /// Pairs left out because one side has no word.
    package internal(set) var emptySource = 0
    /// Pairs left out because only the target has no word.
    package internal(set) var emptyTarget = 0
    /// The first of the lines that were left out for lack of words.
    package internal(set) var firstDropped: Place?
    /// Lines of more bytes than a sentence can have.
    package internal(set) var tooLong = Skipped()
    /// Characters U+2581, which SentencePiece reads as spaces.
    package internal(set) var spaceMarks = 0

    /// Makes counts of nothing.
    package init() {}

    /// Pairs and lines that were left out for lack of words.
    package var dropped: Int { blank + emptySource + emptyTarget }
}

/// The counts of what became of a corpus's lines.
package struct CorpusSummary: Codable, Sendable, Hashable {
    /// The unit of the counts: sentence pairs, or passages of a text.
    package enum Unit: String, Codable, Sendable { case pairs, passages }

    /// The unit of `training` and `heldOut`.
    package internal(set) var unit = Unit.pairs
    /// The counts of the file to train on.
    package internal(set) var lines = LineCounts()
    /// The counts of a validation file; nil where there is none.
    package internal(set) var validation: LineCounts?
    /// The number of pairs or passages to train on.
    package internal(set) var training = 0
    /// The number of pairs or passages held out, or read from a validation file.
    package internal(set) var heldOut = 0
    /// Training pairs that repeat one before them exactly; they are kept.
    package internal(set) var repeated = 0
    /// Training pairs whose source is also in a validation file of its own; they are kept.
    package internal(set) var alsoInValidation = 0

    /// Makes a summary of nothing.
    package init() {}
}
