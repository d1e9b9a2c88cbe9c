/// Token ids of several sequences end to end, without padding.
package struct Sequences: Sendable, Hashable {
    /// The ids of all tokens, sequence after sequence.
    package var ids: [Int32]
    /// The place in `ids` where each sequence begins, and the end of the last: one
    /// more than there are sequences.
    package var offsets: [Int]

    /// Makes sequences of their parts, unchecked; a peer may have sent them.
    package init(ids: [Int32], offsets: [Int]) {
        self.ids = ids
        self.offsets = offsets
    }

    /// Packs sequences end to end.
    package init(_ sequences: [[Int32]]) {
        ids = sequences.flatMap { $0 }
        offsets = sequences.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    }

    /// The number of sequences.
    package var count: Int { max(offsets.count - 1, 0) }

    func validate(vocabulary: Int, positions: Int) throws(ModelError) {
        guard offsets.first ?? 0 == 0 else { throw .offsetsOutOfOrder(sequence: 0) }
        for sequence in 0..<count {
            let length = offsets[sequence + 1].subtractingReportingOverflow(offsets[sequence])
            guard !length.overflow, length.partialValue >= 0 else {
                throw .offsetsOutOfOrder(sequence: sequence)
            }
            guard length.partialValue > 0 else { throw .emptySequence(sequence: sequence) }
            guard length.partialValue <= positions else {
                throw .sequenceTooLong(
                    sequence: sequence, length: length.partialValue, positions: positions)
            }
        }
        guard offsets.last ?? 0 == ids.count else {
            throw .offsetsDoNotCover(last: offsets.last ?? 0, tokens: ids.count)
        }
        try Self.validate(ids, vocabulary: vocabulary)
    }

    static func validate(_ ids: [Int32], vocabulary: Int) throws(ModelError) {
        for (position, id) in ids.enumerated() where id < 0 || Int(id) >= vocabulary {
            throw .tokenOutOfRange(id: Int(id), position: position, vocabulary: vocabulary)
        }
    }
}

/// The input of a model for one shard; it may hold no sequence.
package struct ModelInput: Sendable, Hashable {
    /// The sources; none for a language model.
    package var source: Sequences
    /// The decoder's inputs: begin mark and words.
    package var decoder: Sequences
    /// The labels, words and end mark: each is the token that its
    /// place of `decoder` should say next.
    package var labels: [Int32]

    /// Makes an input of its parts, unchecked: see `validate`.
    package init(source: Sequences, decoder: Sequences, labels: [Int32]) {
        self.source = source
        self.decoder = decoder
        self.labels = labels
    }

    /// Whether the decoder has nothing to read.
    package var isEmpty: Bool { decoder.count == 0 }

    /// Checks that a lane can compute this without a trap. Throws the
    /// first fault as a `ModelError`.
    package func validate(for architecture: Architecture) throws(ModelError) {
        let (vocabulary, positions) = (architecture.vocabulary, architecture.positions)
        try source.validate(vocabulary: vocabulary, positions: positions)
        try decoder.validate(vocabulary: vocabulary, positions: positions)
        try Sequences.validate(labels, vocabulary: vocabulary)
        guard labels.count == decoder.ids.count else {
            throw .labelsDoNotMatch(labels: labels.count, tokens: decoder.ids.count)
        }
        switch architecture.kind {
        case .encoderDecoder:
            guard source.count == decoder.count else {
                throw .sequencesDoNotMatch(source: source.count, decoder: decoder.count)
            }
        case .languageModel:
            guard source.count == 0 else { throw .unexpectedSource(sequences: source.count) }
        }
    }
}
