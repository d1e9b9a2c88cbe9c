/// A pair as numbers: what the encoder reads and what the decoder learns to say.
package struct Sample: Sendable, Hashable {
    /// Ends with the end mark (except words of a benchmark, which have none).
    package let source: [Int32]
    /// Words only: the decoder reads the begin mark before them, its labels end with the end mark.
    package let target: [Int32]

    package init(source: [Int32], target: [Int32]) {
        self.source = source
        self.target = target
    }

    package var labels: Int { target.count + 1 }
    /// What a sample counts for in a batch: source tokens and labels.
    package var tokens: Int { source.count + labels }
}

/// Samples in the order of the corpus; a sample's number is its index.
package struct TokenizedCorpus: Sendable {
    package let samples: [Sample]
    /// Where each sample's source stands, for messages and the ledger; empty for made-up samples.
    package let places: [Place]
    /// Source tokens and labels of all samples.
    package let tokens: Int

    package init(samples: [Sample], places: [Place] = []) {
        precondition(
            places.isEmpty || places.count == samples.count,
            "\(places.count) places for \(samples.count) samples")
        self.samples = samples
        self.places = places
        tokens = samples.reduce(0) { $0 + $1.tokens }
    }

    /// Encodes pairs for a model of so many positions.
    ///
    /// A source counts with its end mark, a target with its begin mark.
    /// Throws: `sequenceTooLong` with the place of the first such sentence, `tokenizer`.
    package init(
        _ pairs: [SentencePair], tokenizer: Tokenizer, positions: Int
    ) throws(TextError) {
        func encode(_ text: String, at place: Place) throws(TextError) -> [Int32] {
            let words = try tokenizer.encode(text)
            guard words.count < positions else {
                throw .sequenceTooLong(place, tokens: words.count + 1, positions: positions)
            }
            return words
        }
        var samples: [Sample] = []
        samples.reserveCapacity(pairs.count)
        for pair in pairs {
            let source = try encode(pair.source, at: pair.sourcePlace)
            let target = try encode(pair.target, at: pair.targetPlace)
            samples.append(Sample(source: source + [Tokenizer.end], target: target))
        }
        self.init(samples: samples, places: pairs.map(\.sourcePlace))
    }
}
