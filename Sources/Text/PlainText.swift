import CEmbeddedText

/// Some lines of a text that follow each other.
package struct Passage: Sendable, Hashable {
    /// From 0 in the order of the file.
    package let number: Int
    package let text: String
    package let place: Place
    /// A blank line follows, or the file's end.
    package let endsText: Bool

    package init(number: Int, text: String, place: Place, endsText: Bool) {
        self.number = number
        self.text = text
        self.place = place
        self.endsText = endsText
    }
}

/// A text for a language model: passages to train on and passages held out.
///
/// A passage ends at a blank line, or after 16 lines. Held out is one whose fingerprint is divisible by 20;
/// with a validation file nothing is held out, that file takes the place.
package struct PlainText: Sendable {
    package static let embeddedName = "botchan.txt (embedded)"
    static let linesOfPassage = 16

    package let training: [Passage]
    package let heldOut: [Passage]
    package let summary: CorpusSummary

    /// Reads and divides the text at `path`, without one the embedded text.
    ///
    /// Throws: `unreadable`, `emptyFile`, `lineTooLong`, `nulByte`, `invalidUTF8`, `nothingToLearn`.
    package init(_ path: String?, validation: String? = nil) throws(TextError) {
        let all = try Self.read(path)
        var summary = CorpusSummary()
        summary.unit = .passages
        summary.pairs = all.count
        if let validation {
            training = all
            heldOut = try Self.read(validation)
            let known = Set(heldOut.map(\.text.fingerprint))
            summary.alsoInValidation = all.count { known.contains($0.text.fingerprint) }
        } else {
            let divisor = Corpus.heldOutDivisor
            training = all.filter { !$0.text.fingerprint.isMultiple(of: divisor) }
            heldOut = all.filter { $0.text.fingerprint.isMultiple(of: divisor) }
        }
        summary.training = training.count
        summary.heldOut = heldOut.count
        self.summary = summary
        if training.isEmpty {
            throw .nothingToLearn(file: path ?? Self.embeddedName, summary)
        }
    }

    /// The passages of a file, none held out. Throws as `init`, but for `nothingToLearn`.
    package static func read(_ path: String?) throws(TextError) -> [Passage] {
        let file: TextFile
        if let path {
            file = try TextFile(path: path)
        } else {
            let bytes = UnsafeRawBufferPointer(
                start: dtrain_botchan(), count: dtrain_botchan_size())
            file = try TextFile(name: embeddedName, bytes: [UInt8](bytes))
        }
        var passages: [Passage] = []
        var open: [String] = []
        var start = 1
        func close(endsText: Bool) {
            guard !open.isEmpty else { return }
            passages.append(
                Passage(
                    number: passages.count, text: open.joined(separator: "\n"),
                    place: Place(file: file.name, line: start), endsText: endsText))
            open = []
        }
        let lines = try file.lines()
        for (index, line) in lines.enumerated() where !line.normalised.isEmpty {
            if open.isEmpty { start = index + 1 }
            open.append(line)
            let isLast = index + 1 == lines.count || lines[index + 1].normalised.isEmpty
            if isLast || open.count == linesOfPassage { close(endsText: isLast) }
        }
        return passages
    }
}
