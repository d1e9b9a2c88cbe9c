/// A pair as numbers: the source for the encoder, the target for the decoder. A
/// window of a text has no source.
package struct Sample: Sendable, Hashable {
    /// The ids of the source. They end with the end mark (a benchmark's words have none).
    package let source: [Int32]
    /// The ids of the target, words only. The decoder reads the begin mark before them,
    /// and its labels end with the end mark. Of a window it reads all but the last, and
    /// its labels are the window itself.
    package let target: [Int32]

    /// Makes a sample of its parts; an empty source means a window of a text.
    package init(source: [Int32], target: [Int32]) {
        self.source = source
        self.target = target
    }

    /// The number of labels: the target's ids, and an end mark unless it is a window.
    package var labels: Int { Self.labels(source: source, target: target) }
    /// The number of tokens that count in a batch: source tokens and labels.
    package var tokens: Int { source.count + labels }

    static func labels(source: [Int32], target: [Int32]) -> Int {
        source.isEmpty ? target.count : target.count + 1
    }
}

/// Samples in the order of the corpus; a sample's number is its index.
package struct TokenizedCorpus: Sendable {
    /// The samples, numbered from 0.
    package let samples: [Sample]
    /// The place of each sample's source, for messages and the ledger; empty for made-up samples.
    package let places: [Place]
    /// The number of source tokens and labels of all samples.
    package let tokens: Int
    /// Pairs that were left out because they have too many tokens.
    package let tooLong: Skipped
    /// The count of how much of the text the tokenizer knows.
    package let coverage: Coverage
    /// The indices of the pairs that became samples; nil if all did.
    private let kept: [Int]?

    /// Makes a corpus of its parts; there are no places, or one for each sample.
    package init(
        samples: [Sample], places: [Place] = [], tooLong: Skipped = Skipped(),
        coverage: Coverage = Coverage(), kept: [Int]? = nil
    ) {
        precondition(
            places.isEmpty || places.count == samples.count,
            "\(places.count) places for \(samples.count) samples")
        self.samples = samples
        self.places = places
        self.tooLong = tooLong
        self.coverage = coverage
        self.kept = kept
        tokens = samples.reduce(0) { $0 + $1.tokens }
    }

    /// Encodes pairs for a model of so many positions.
    ///
    /// A source counts with its end mark, a target with its begin mark. Throws: `tokenizer`;
    /// `sequenceTooLong` with the place of the first such sentence where that is to stop.
    package init(
        _ pairs: [SentencePair], tokenizer: Tokenizer, positions: Int, tooLong: TooLong = .skip
    ) throws(TextError) {
        var samples: [Sample] = []
        var places: [Place] = []
        var skipped = Skipped()
        var coverage = Coverage()
        // The first sample that is left out begins it.
        var kept: [Int]?
        samples.reserveCapacity(pairs.count)
        places.reserveCapacity(pairs.count)
        for (index, pair) in pairs.enumerated() {
            let source = try tokenizer.encode(pair.source)
            let target = try tokenizer.encode(pair.target, as: .target)
            if let (place, tokens) = pair.excess(source, target, positions) {
                if tooLong == .stop {
                    throw .sequenceTooLong(place, tokens: tokens, positions: positions)
                }
                skipped.add(place)
                kept = kept ?? Array(0..<index)
                continue
            }
            kept?.append(index)
            try coverage.count(source, of: pair.source, tokenizer)
            try coverage.count(target, of: pair.target, tokenizer, as: .target)
            samples.append(Sample(source: source + [Tokenizer.end], target: target))
            places.append(pair.sourcePlace)
        }
        self.init(
            samples: samples, places: places, tooLong: skipped, coverage: coverage, kept: kept)
    }

    /// Returns those of the elements, one for each pair given, that belong to samples.
    package func kept<Element>(of elements: [Element]) -> [Element] {
        kept.map { $0.map { elements[$0] } } ?? elements
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
        var coverage = Coverage()
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
            try coverage.count(words, of: passage.text, tokenizer)
            for word in words + (passage.endsText ? [Tokenizer.end] : []) {
                openPlace = openPlace ?? passage.place
                open.append(word)
                if open.count == positions { close() }
            }
            previous = passage
        }
        close()
        self.init(samples: samples, places: places, coverage: coverage)
    }
}

extension SentencePair {
    /// Returns the place and tokens (one mark included) of a side that is too long; nil if none is.
    fileprivate func excess(
        _ source: [Int32], _ target: [Int32], _ positions: Int
    ) -> (Place, tokens: Int)? {
        if source.count >= positions { return (sourcePlace, source.count + 1) }
        if target.count >= positions { return (targetPlace, target.count + 1) }
        return nil
    }
}
