import CXXHash

/// A sentence and its translation, as they stand in the file, and where that is.
package struct SentencePair: Sendable, Hashable {
    /// The sentence to translate, as it stands in the file.
    package let source: String
    /// Its translation, as it stands in the file.
    package let target: String
    /// The line that holds the source.
    package let sourcePlace: Place
    /// The line that holds the target: the same one in a file of pairs.
    package let targetPlace: Place

    /// Makes a pair of its parts.
    package init(source: String, target: String, sourcePlace: Place, targetPlace: Place) {
        self.source = source
        self.target = target
        self.sourcePlace = sourcePlace
        self.targetPlace = targetPlace
    }
}

/// The place that pairs come from.
package enum CorpusSource: Sendable, Hashable {
    /// The English and French pairs inside the program.
    case embedded
    /// A file of lines `source TAB target`.
    case pairs(String)
    /// Two files, line n of one translating line n of the other.
    case files(source: String, target: String)
}

/// Pairs to train on and pairs held out.
///
/// Held out is a pair whose source's fingerprint is divisible by 20, so that equal sources fall on
/// one side. With a validation file nothing is held out of the corpus: that file takes the place.
package struct Corpus: Sendable {
    /// The held-out share: one source in so many, on average.
    package static let heldOutDivisor: UInt64 = 20
    /// The name that messages give the pairs inside the program.
    package static let embeddedName = "demo.en-fr.tsv (embedded)"

    /// The pairs that steps train on, in the order of the file; never empty.
    package let training: [SentencePair]
    /// The pairs that validation uses, in the order of their file; possibly none.
    package let heldOut: [SentencePair]
    /// The counts of what became of each line.
    package let summary: CorpusSummary
    /// The hashes by which the run knows the text again.
    package let trace: TextTrace

    /// Reads, checks and divides a corpus.
    ///
    /// Throws: `unreadable`, `emptyFile`, `foreign`, `invalidUTF8`, `nulByte`, `tabs`, `lineCounts`,
    /// `nothingToTrainOn`; `lineTooLong` where that is to stop.
    package init(
        _ source: CorpusSource, validation: String? = nil, rules: TextRules = .current,
        tooLong: TooLong = .skip
    ) throws(TextError) {
        let read = try PairsRead(source, rules: rules, tooLong: tooLong)
        var summary = CorpusSummary()
        summary.lines = read.lines
        var trace = TextTrace(rules: rules, read.trace)
        if let validation {
            let held = try PairsRead(.pairs(validation), rules: rules, tooLong: tooLong)
            trace.add(held.trace)
            summary.validation = held.lines
            let sources = Set(held.pairs.map(\.source.fingerprint))
            summary.alsoInValidation = read.pairs.count {
                sources.contains($0.source.fingerprint)
            }
            (training, heldOut) = (read.pairs, held.pairs)
        } else {
            (training, heldOut) = Self.divided(read.pairs)
        }
        summary.training = training.count
        summary.heldOut = heldOut.count
        if training.isEmpty { throw .nothingToTrainOn(file: source.name, summary) }
        summary.repeated = training.count - Set(training.map { PairDigest($0) }).count
        self.summary = summary
        self.trace = trace
    }

    private static func divided(
        _ pairs: [SentencePair]
    ) -> (training: [SentencePair], heldOut: [SentencePair]) {
        var training: [SentencePair] = []
        var heldOut: [SentencePair] = []
        training.reserveCapacity(pairs.count)
        for pair in pairs {
            if pair.source.fingerprint.isMultiple(of: heldOutDivisor) {
                heldOut.append(pair)
            } else {
                training.append(pair)
            }
        }
        return (training, heldOut)
    }

    /// The embedded pairs, divided.
    package static func embedded() throws(TextError) -> Corpus { try Corpus(.embedded) }

    /// A file of pairs, divided.
    package init(pairs path: String) throws(TextError) { try self.init(.pairs(path)) }

    /// Two files of lines, divided.
    package init(source: String, target: String) throws(TextError) {
        try self.init(.files(source: source, target: target))
    }
}

extension CorpusSource {
    /// The name of the file for messages; of two files that of the source.
    package var name: String {
        switch self {
        case .embedded: Corpus.embeddedName
        case .pairs(let path): path
        case .files(let source, _): source
        }
    }
}

/// A digest that tells a pair which repeats another exactly.
private struct PairDigest: Hashable {
    let high, low: UInt64

    init(_ pair: SentencePair) {
        var bytes = Array(pair.source.utf8)
        bytes.append(0x09)
        bytes.append(contentsOf: pair.target.utf8)
        let hash = bytes.withUnsafeBytes { dtrain_xxh3_128($0.baseAddress, $0.count) }
        (high, low) = (hash.high, hash.low)
    }
}
