/// A pair as numbers: what the encoder reads and what the decoder learns to say; or a window of a text,
/// which has no source.
package struct Sample: Sendable, Hashable {
    /// Ends with the end mark (except words of a benchmark, which have none).
    package let source: [Int32]
    /// Words only: the decoder reads the begin mark before them, its labels end with the end mark. Of a
    /// window it reads all but the last, and its labels are the window itself.
    package let target: [Int32]

    package init(source: [Int32], target: [Int32]) {
        self.source = source
        self.target = target
    }

    package var labels: Int { Self.labels(source: source, target: target) }
    /// What a sample counts for in a batch: source tokens and labels.
    package var tokens: Int { source.count + labels }

    static func labels(source: [Int32], target: [Int32]) -> Int {
        source.isEmpty ? target.count : target.count + 1
    }
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

    /// Cuts passages that follow each other into windows of `positions` tokens; the last may be shorter.
    ///
    /// An end mark stands where a text ends. Throws: `tokenizer`.
    package init(
        _ passages: [Passage], tokenizer: Tokenizer, positions: Int
    ) throws(TextError) {
        precondition(positions > 0, "\(positions) positions")
        var samples: [Sample] = []
        var places: [Place] = []
        var open: [Int32] = []
        var openPlace: Place?
        func close() {
            guard let place = openPlace, !open.isEmpty else { return }
            samples.append(Sample(source: [], target: open))
            places.append(place)
            (open, openPlace) = ([], nil)
        }
        var previous: Passage?
        for passage in passages {
            if let previous, previous.number + 1 != passage.number { close() }
            let words = try tokenizer.encode(passage.text)
            for word in words + (passage.endsText ? [Tokenizer.end] : []) {
                openPlace = openPlace ?? passage.place
                open.append(word)
                if open.count == positions { close() }
            }
            previous = passage
        }
        close()
        self.init(samples: samples, places: places)
    }
}
