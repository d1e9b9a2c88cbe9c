import CEmbeddedText

/// A sentence and its translation, as they stand in the file, and where that is.
package struct SentencePair: Sendable, Hashable {
    package let source: String
    package let target: String
    package let sourcePlace: Place
    package let targetPlace: Place

    package init(source: String, target: String, sourcePlace: Place, targetPlace: Place) {
        self.source = source
        self.target = target
        self.sourcePlace = sourcePlace
        self.targetPlace = targetPlace
    }
}

/// Where pairs come from.
package enum CorpusSource: Sendable, Hashable {
    /// The English and French pairs inside the program.
    case embedded
    /// A file of lines `source TAB target`.
    case pairs(String)
    /// Two files, line n of one translating line n of the other.
    case files(source: String, target: String)
}

/// What became of a corpus's lines.
package struct CorpusSummary: Sendable, Hashable {
    /// What is counted: sentence pairs, or passages of a text.
    package enum Unit: Sendable { case pairs, passages }

    package internal(set) var unit = Unit.pairs
    /// Lines read, or passages found.
    package internal(set) var pairs = 0
    package internal(set) var training = 0
    package internal(set) var heldOut = 0
    /// Pairs left out because a side has nothing but white space, and the first such line.
    package internal(set) var emptySource = 0
    package internal(set) var emptyTarget = 0
    package internal(set) var firstDropped: Place?
    /// Training pairs that repeat one before them exactly; they are kept.
    package internal(set) var repeated = 0
    /// Training pairs whose source is also in a validation file of its own; they are kept.
    package internal(set) var alsoInValidation = 0

    package var dropped: Int { emptySource + emptyTarget }
}

/// Pairs to train on and pairs held out.
///
/// Held out is a pair whose source's fingerprint is divisible by 20, so that equal sources fall on
/// one side. With a validation file nothing is held out of the corpus: that file takes the place.
package struct Corpus: Sendable {
    package static let heldOutDivisor: UInt64 = 20
    package static let embeddedName = "demo.en-fr.tsv (embedded)"

    package let training: [SentencePair]
    package let heldOut: [SentencePair]
    package let summary: CorpusSummary

    /// Reads, checks and divides a corpus.
    ///
    /// Throws: `unreadable`, `emptyFile`, `invalidUTF8`, `nulByte`, `tabs`, `lineTooLong`,
    /// `lineCounts`, `nothingToTrainOn`.
    package init(_ source: CorpusSource, validation: String? = nil) throws(TextError) {
        var (pairs, summary) = try Self.read(source)
        var training: [SentencePair] = []
        var heldOut: [SentencePair] = []
        if let validation {
            heldOut = try Self.read(.pairs(validation)).pairs
            let sources = Set(heldOut.map(\.source.fingerprint))
            summary.alsoInValidation = pairs.count { sources.contains($0.source.fingerprint) }
            swap(&training, &pairs)
        } else {
            for pair in pairs {
                if pair.source.fingerprint.isMultiple(of: Self.heldOutDivisor) {
                    heldOut.append(pair)
                } else {
                    training.append(pair)
                }
            }
        }
        summary.training = training.count
        summary.heldOut = heldOut.count
        summary.repeated = training.count - Set(training.map { [$0.source, $0.target] }).count
        if training.isEmpty { throw .nothingToTrainOn(file: Self.name(of: source), summary) }
        self.training = training
        self.heldOut = heldOut
        self.summary = summary
    }

    /// The embedded pairs, divided.
    package static func embedded() throws(TextError) -> Corpus { try Corpus(.embedded) }

    /// A file of pairs, divided.
    package init(pairs path: String) throws(TextError) { try self.init(.pairs(path)) }

    /// Two files of lines, divided.
    package init(source: String, target: String) throws(TextError) {
        try self.init(.files(source: source, target: target))
    }

    /// A file of pairs that are all held out, as `evaluate --corpus` reads it.
    package init(validation path: String) throws(TextError) {
        var (pairs, summary) = try Self.read(.pairs(path))
        summary.heldOut = pairs.count
        (training, heldOut) = ([], pairs)
        self.summary = summary
    }

    /// Every usable pair in the order of the file, nothing held out.
    package static func read(
        _ source: CorpusSource
    ) throws(TextError) -> (pairs: [SentencePair], summary: CorpusSummary) {
        let lines: [SentencePair]
        switch source {
        case .embedded:
            let bytes = UnsafeRawBufferPointer(
                start: dtrain_demo_en_fr(), count: dtrain_demo_en_fr_size())
            lines = try split(TextFile(name: embeddedName, bytes: [UInt8](bytes)))
        case .pairs(let path):
            lines = try split(TextFile(path: path))
        case .files(let source, let target):
            lines = try zip(TextFile(path: source), TextFile(path: target))
        }
        var summary = CorpusSummary()
        summary.pairs = lines.count
        let pairs = lines.filter { pair in
            let emptySource = pair.source.normalised.isEmpty
            guard emptySource || pair.target.normalised.isEmpty else { return true }
            if emptySource { summary.emptySource += 1 } else { summary.emptyTarget += 1 }
            summary.firstDropped = summary.firstDropped ?? pair.sourcePlace
            return false
        }
        return (pairs, summary)
    }
}

extension Corpus {
    static func name(of source: CorpusSource) -> String {
        switch source {
        case .embedded: embeddedName
        case .pairs(let path): path
        case .files(let source, _): source
        }
    }

    /// Lines `source TAB target`. Throws: `tabs` and what `TextFile.lines` throws.
    private static func split(_ file: TextFile) throws(TextError) -> [SentencePair] {
        var pairs: [SentencePair] = []
        for line in try file.lines() {
            let place = Place(file: file.name, line: pairs.count + 1)
            let columns = line.utf8.split(separator: 0x09, omittingEmptySubsequences: false)
            guard columns.count == 2 else { throw .tabs(place, found: columns.count - 1) }
            pairs.append(
                SentencePair(
                    source: String(Substring(columns[0])), target: String(Substring(columns[1])),
                    sourcePlace: place, targetPlace: place))
        }
        return pairs
    }

    /// Line n of one file beside line n of the other. Throws: `lineCounts` and what
    /// `TextFile.lines` throws.
    private static func zip(
        _ source: TextFile, _ target: TextFile
    ) throws(TextError) -> [SentencePair] {
        let sources = try source.lines()
        let targets = try target.lines()
        guard sources.count == targets.count else {
            throw .lineCounts(
                source: source.name, sourceLines: sources.count,
                target: target.name, targetLines: targets.count)
        }
        return sources.indices.map { index in
            SentencePair(
                source: sources[index], target: targets[index],
                sourcePlace: Place(file: source.name, line: index + 1),
                targetPlace: Place(file: target.name, line: index + 1))
        }
    }
}
