import CEmbeddedText

/// Some lines of a text that follow each other.
package struct Passage: Sendable, Hashable {
    /// The number of the passage, from 0 in the order of the file.
    package let number: Int
    /// The lines of the passage, joined by line feeds.
    package let text: String
    /// The first line of the passage.
    package let place: Place
    /// Whether a blank line follows, or the file's end.
    package let endsText: Bool

    /// Makes a passage of its parts; numbers without a gap mean that passages follow each other.
    package init(number: Int, text: String, place: Place, endsText: Bool) {
        self.number = number
        self.text = text
        self.place = place
        self.endsText = endsText
    }
}

/// A text for a language model: passages to train on and passages held out.
///
/// A passage ends at a blank line, after 16 lines, and where a long line has been cut. Held out is one
/// whose fingerprint is divisible by 20; with a validation file nothing is held out, that file takes
/// the place.
package struct PlainText: Sendable {
    /// The name that messages give the text inside the program.
    package static let embeddedName = "botchan.txt (embedded)"

    /// The passages that steps train on, in the order of the file; never empty.
    package let training: [Passage]
    /// The passages that validation uses, in the order of their file; possibly none.
    package let heldOut: [Passage]
    /// The counts of what became of each passage.
    package let summary: CorpusSummary
    /// The hashes by which the run knows the text again.
    package let trace: TextTrace

    /// Reads and divides the text at `path`, without one the embedded text.
    ///
    /// Throws: `unreadable`, `emptyFile`, `foreign`, `nulByte`, `invalidUTF8`, `nothingToLearn`.
    package init(
        _ path: String?, validation: String? = nil, rules: TextRules = .current
    ) throws(TextError) {
        let read = try PassagesRead(path, rules: rules)
        var summary = CorpusSummary()
        summary.unit = .passages
        summary.lines = read.lines
        var trace = TextTrace(rules: rules, read.trace)
        if let validation {
            let held = try PassagesRead(validation, rules: rules)
            trace.add(held.trace)
            summary.validation = held.lines
            training = read.passages
            heldOut = held.passages
            let known = Set(heldOut.map(\.text.fingerprint))
            summary.alsoInValidation = training.count { known.contains($0.text.fingerprint) }
        } else {
            let isHeldOut = read.passages.map {
                $0.text.fingerprint.isMultiple(of: Corpus.heldOutDivisor)
            }
            training = zip(read.passages, isHeldOut).filter { !$0.1 }.map(\.0)
            heldOut = zip(read.passages, isHeldOut).filter(\.1).map(\.0)
        }
        summary.training = training.count
        summary.heldOut = heldOut.count
        self.summary = summary
        self.trace = trace
        if training.isEmpty {
            throw .nothingToLearn(file: path ?? Self.embeddedName, summary)
        }
    }
}

/// Every passage of a file, none held out.
package struct PassagesRead: Sendable {
    /// The passages in the order of the file.
    package private(set) var passages: [Passage] = []
    /// The counts of what became of each line; `read` counts passages.
    package private(set) var lines = LineCounts()
    /// The hashes of the passages, by which the run knows the file again.
    package private(set) var trace: TextTrace.Part
    private let rules: TextRules

    static let linesOfPassage = 16
    /// Bytes of a piece of a line that is longer: of about as many as sixteen lines of prose have.
    static let longestPiece = 2048

    /// Reads the text at `path`; nil means the embedded text. Throws: `unreadable`, `emptyFile`,
    /// `foreign`, `nulByte`, `invalidUTF8`; `lineTooLong` under the first rules.
    package init(_ path: String?, rules: TextRules = .current) throws(TextError) {
        self.rules = rules
        let file: TextFile
        if let path {
            file = try TextFile(path: path)
        } else {
            let bytes = UnsafeRawBufferPointer(
                start: dtrain_botchan(), count: dtrain_botchan_size())
            file = try TextFile(name: PlainText.embeddedName, bytes: [UInt8](bytes))
        }
        trace = TextTrace.Part(files: [file.name], samplesOfGroup: 1)
        if rules != .first { try file.requireLineFeeds() }
        try read(file)
        trace.close()
        lines.read = passages.count
    }

    private mutating func read(_ file: TextFile) throws(TextError) {
        var open = OpenPassage()
        try file.forEachLine { (number, line) throws(TextError) in
            let place = Place(file: file.name, line: number)
            if rules == .first, line.count > TextFile.longestLine {
                throw .lineTooLong(place, bytes: line.count, limit: TextFile.longestLine)
            }
            let text = try file.text(of: line, at: place)
            guard !text.isBlank(rules) else {
                close(&open, endsText: true)
                return
            }
            // Only the next line tells whether a passage ends a text.
            if open.lines.count == Self.linesOfPassage || open.isCut {
                close(&open, endsText: false)
            }
            if rules != .first, line.count > Self.longestPiece {
                close(&open, endsText: false)
                var pieces = text.trimmed.pieces(ofAtMost: Self.longestPiece)
                open = OpenPassage(place: place, lines: [pieces.removeLast()], isCut: true)
                for piece in pieces { add(piece, place, endsText: false) }
            } else {
                if open.lines.isEmpty { open.place = place }
                open.lines.append(rules == .first ? text : text.trimmed)
            }
        }
        close(&open, endsText: true)
    }

    /// Lines of a passage whose end has not been found.
    private struct OpenPassage {
        var place: Place?
        var lines: [String] = []
        /// It is the last piece of a line that has been cut.
        var isCut = false
    }

    private mutating func close(_ open: inout OpenPassage, endsText: Bool) {
        guard let place = open.place else { return }
        add(open.lines.joined(separator: "\n"), place, endsText: endsText)
        open = OpenPassage()
    }

    private mutating func add(_ text: String, _ place: Place, endsText: Bool) {
        passages.append(
            Passage(number: passages.count, text: text, place: place, endsText: endsText))
        lines.spaceMarks += text.spaceMarks
        trace.add([text.normalised(rules) + (endsText ? "\n" : "")], line: place.line)
    }
}

extension String {
    /// The text in pieces of at most `limit` bytes, cut at white space where there is some: a
    /// tokenizer reads a cut there as it reads the space.
    func pieces(ofAtMost limit: Int) -> [String] {
        var pieces: [String] = []
        var rest = Substring(self).unicodeScalars[...]
        while !rest.isEmpty {
            var (size, end, gap) = (0, rest.startIndex, String.Index?.none)
            while end < rest.endIndex {
                let scalar = rest[end]
                size += UTF8.width(scalar)
                if size > limit && end > rest.startIndex { break }
                if scalar.isSpace { gap = end }
                rest.formIndex(after: &end)
            }
            // A character keeps the marks that belong to it.
            if end < rest.endIndex { end = gap ?? rest.startOfCharacter(before: end) }
            let piece = String(String.UnicodeScalarView(rest[..<end]))
            if !piece.isBlank(.second) { pieces.append(piece) }
            rest = rest[end...].drop(while: \.isSpace)
        }
        return pieces
    }
}

extension Substring.UnicodeScalarView {
    /// The nearest place at or before `end`, behind the beginning, where no mark follows.
    fileprivate func startOfCharacter(before end: Index) -> Index {
        var place = end
        while place > startIndex,
            self[place].properties.canonicalCombiningClass != .notReordered
                || self[place].properties.generalCategory == .nonspacingMark
        {
            formIndex(before: &place)
        }
        return place > startIndex ? place : end
    }
}
