/// A line of a file, counted from 1.
package struct Place: Codable, Sendable, Hashable {
    /// The name of the file: its path, or `TextFile.standardInput`.
    package let file: String
    /// The number of the line, from 1.
    package let line: Int

    /// Makes a place of its parts.
    package init(file: String, line: Int) {
        self.file = file
        self.line = line
    }
}

/// An error in text, in a tokenizer, or in a batch that came off the wire.
package enum TextError: Error, Sendable, Hashable {
    /// The file could not be opened or read; `code` is errno.
    case unreadable(file: String, code: Int32)
    /// The file holds no line at all.
    case emptyFile(file: String)
    /// The file is packed, or in an encoding of more bytes, or its lines end otherwise.
    case foreign(file: String, ForeignFormat)
    /// The line is not UTF-8; `offset` counts bytes from 0 within the line.
    case invalidUTF8(Place, offset: Int, LikelyEncoding?)
    /// The line holds a NUL.
    case nulByte(Place, offset: Int)
    /// Not exactly one tab on a line of pairs.
    case tabs(Place, found: Int)
    /// One line has more bytes than a sentence can have.
    case lineTooLong(Place, bytes: Int, limit: Int)
    /// Two files of one corpus with different numbers of lines.
    case lineCounts(source: String, sourceLines: Int, target: String, targetLines: Int)
    /// Every pair was dropped or held out.
    case nothingToTrainOn(file: String, CorpusSummary)

    /// A text for a language model is empty, or every passage is held out.
    case nothingToLearn(file: String, CorpusSummary)
    /// Every pair has more tokens than the model has positions.
    case allTooLong(Skipped, positions: Int)

    /// The text is not the one that the run began with.
    case otherText(TextDifference)
    /// The tokenizer is not the one that the run began with.
    case otherTokenizer(file: String)

    /// The text is too small for this many pieces; `largest` is what it allows.
    case vocabularyTooLarge(requested: Int, largest: Int)
    /// Fewer pieces than the text has different characters and marks.
    case vocabularyTooSmall(requested: Int, smallest: Int)
    /// The tokenizer library refused, in its own words.
    case tokenizer(code: Int32, message: String)
    /// The bytes are no SentencePiece model, or a damaged one; `offset` counts from 0.
    case damagedTokenizer(file: String, offset: Int)
    /// The library refused the model, in its own words.
    case notATokenizer(file: String, message: String)
    /// A model whose marks are not pad 0, begin 1, end 2, unknown 3.
    case tokenizerMarks(file: String, pad: Int, begin: Int, end: Int, unknown: Int)
    /// The numbers of a Marian model's pieces are no object of JSON; `at` is the byte, from 0.
    case vocabulary(file: String, at: Int)
    /// A mark of a Marian model has no piece, or two are one.
    case vocabularyMarks(file: String)
    /// An id that the tokenizer does not have.
    case unknownID(Int, vocabulary: Int)

    /// A sentence with more tokens (marks included) than the model has positions.
    case sequenceTooLong(Place, tokens: Int, positions: Int)
    /// Batches of fewer than one token, or no shards, or no samples.
    case unfitSchedule(samples: Int, batchTokens: Int, shards: Int)
    /// Numbers that are no shard; `at` is the element where reading stopped.
    case malformedShard(at: Int, ShardFault)
}

/// The fault that makes a shard's numbers unreadable.
package enum ShardFault: Sendable, Hashable {
    case truncated
    case negative(Int32)
    case tooMany(Int32, atMost: Int)
    case trailing(Int)
}
