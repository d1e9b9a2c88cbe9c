import CEmbeddedText

/// Every usable pair of a corpus in the order of the file, nothing held out.
package struct PairsRead: Sendable {
    /// The pairs that have a word on both sides and are short enough.
    package private(set) var pairs: [SentencePair] = []
    /// The counts of what became of each line.
    package private(set) var lines = LineCounts()
    /// The hashes of the pairs, by which the run knows the file again.
    package private(set) var trace: TextTrace.Part
    private let rules: TextRules
    private let tooLong: TooLong

    /// Reads a corpus. Throws: `unreadable`, `emptyFile`, `foreign`, `invalidUTF8`, `nulByte`,
    /// `tabs`, `lineCounts`; `lineTooLong` where that is to stop.
    package init(
        _ source: CorpusSource, rules: TextRules = .current, tooLong: TooLong = .skip
    ) throws(TextError) {
        self.rules = rules
        self.tooLong = tooLong
        switch source {
        case .embedded:
            let bytes = UnsafeRawBufferPointer(
                start: dtrain_demo_en_fr(), count: dtrain_demo_en_fr_size())
            let file = try TextFile(name: Corpus.embeddedName, bytes: [UInt8](bytes))
            trace = TextTrace.Part(files: [file.name], samplesOfGroup: 16)
            try split(file)
        case .pairs(let path):
            let file = try TextFile(path: path)
            trace = TextTrace.Part(files: [file.name], samplesOfGroup: 16)
            try split(file)
        case .files(let source, let target):
            let (source, target) = (try TextFile(path: source), try TextFile(path: target))
            trace = TextTrace.Part(files: [source.name, target.name], samplesOfGroup: 16)
            try zip(source, target)
        }
        trace.close()
    }

    /// The counts of what became of the lines, before anything is held out.
    package var summary: CorpusSummary {
        var summary = CorpusSummary()
        summary.lines = lines
        return summary
    }

    /// Lines `source TAB target`; lines without a word may stand between them.
    private mutating func split(_ file: TextFile) throws(TextError) {
        if rules != .first { try file.requireLineFeeds() }
        try file.forEachLine { (number, line) throws(TextError) in
            let place = Place(file: file.name, line: number)
            lines.read += 1
            guard try isFit(line, place) else { return }
            guard let tab = line.firstIndex(of: 0x09) else {
                guard try file.text(of: line, at: place).isBlank(rules) else {
                    throw .tabs(place, found: 0)
                }
                drop(\.blank, place)
                return
            }
            let more = line[(tab + 1)...].count { $0 == 0x09 }
            if more > 0 { throw .tabs(place, found: more + 1) }
            let source = try file.text(of: line[..<tab], at: place)
            let target = try text(
                of: line[(tab + 1)...], behind: tab + 1 - line.startIndex, file, place)
            take(source, target, place, place)
        }
    }

    /// The second column; a fault in it is counted from the beginning of the line.
    private func text(
        of column: ArraySlice<UInt8>, behind offset: Int, _ file: TextFile, _ place: Place
    ) throws(TextError) -> String {
        do throws(TextError) {
            return try file.text(of: column, at: place)
        } catch {
            switch error {
            case .nulByte(let place, let fault): throw .nulByte(place, offset: offset + fault)
            case .invalidUTF8(let place, let fault, let likely):
                throw .invalidUTF8(place, offset: offset + fault, likely)
            default: throw error
            }
        }
    }

    /// Line n of one file beside line n of the other; blank lines at the end of one are surplus.
    private mutating func zip(_ source: TextFile, _ target: TextFile) throws(TextError) {
        let sources = try sentences(source)
        let targets = try sentences(target)
        let shorter = min(sources.count, targets.count)
        let surplus = (sources.count > shorter ? sources : targets)[shorter...]
        guard surplus.allSatisfy({ $0?.isBlank(rules) == true }) else {
            throw .lineCounts(
                source: source.name, sourceLines: sources.count,
                target: target.name, targetLines: targets.count)
        }
        lines.read = shorter + surplus.count
        for index in 0..<shorter {
            let place = Place(file: source.name, line: index + 1)
            guard let sentence = sources[index], let translation = targets[index] else {
                let isSource = sources[index] == nil
                lines.tooLong.add(isSource ? place : Place(file: target.name, line: index + 1))
                continue
            }
            if sentence.isBlank(rules) && translation.isBlank(rules) {
                drop(\.blank, place)
            } else {
                take(sentence, translation, place, Place(file: target.name, line: index + 1))
            }
        }
        for index in surplus.indices {
            let longer = sources.count > shorter ? source : target
            drop(\.blank, Place(file: longer.name, line: index + 1))
        }
    }

    /// Returns the lines; nil stands for one that is too long.
    private func sentences(_ file: TextFile) throws(TextError) -> [String?] {
        if rules != .first { try file.requireLineFeeds() }
        var sentences: [String?] = []
        try file.forEachLine { (number, line) throws(TextError) in
            let place = Place(file: file.name, line: number)
            let text = try file.text(of: line, at: place)
            let isTooLong = line.count > TextFile.longestLine
            if isTooLong && tooLong == .stop {
                throw .lineTooLong(place, bytes: line.count, limit: TextFile.longestLine)
            }
            sentences.append(isTooLong ? nil : text)
        }
        return sentences
    }

    /// Whether a line is short enough. Throws: `lineTooLong` where that is to stop.
    private mutating func isFit(
        _ line: ArraySlice<UInt8>, _ place: Place
    ) throws(TextError) -> Bool {
        // A line of pairs holds two sentences.
        let limit = TextFile.longestLine
        guard line.count > limit else { return true }
        if tooLong == .stop {
            throw .lineTooLong(place, bytes: line.count, limit: limit)
        }
        lines.tooLong.add(place)
        return false
    }

    private mutating func drop(_ reason: WritableKeyPath<LineCounts, Int>, _ place: Place) {
        lines[keyPath: reason] += 1
        lines.firstDropped = lines.firstDropped ?? place
    }

    private mutating func take(
        _ source: String, _ target: String, _ sourcePlace: Place, _ targetPlace: Place
    ) {
        if source.isBlank(rules) { return drop(\.emptySource, sourcePlace) }
        if target.isBlank(rules) { return drop(\.emptyTarget, sourcePlace) }
        let pair = SentencePair(
            source: rules == .first ? source : source.trimmed,
            target: rules == .first ? target : target.trimmed,
            sourcePlace: sourcePlace, targetPlace: targetPlace)
        pairs.append(pair)
        let sides = [pair.source.normalised(rules), pair.target.normalised(rules)]
        lines.spaceMarks += pair.source.spaceMarks + pair.target.spaceMarks
        trace.add(sides, line: sourcePlace.line)
    }
}

extension String {
    /// Characters that SentencePiece reads as spaces.
    var spaceMarks: Int {
        var text = self
        return text.withUTF8 { bytes in
            var count = 0
            var index = 0
            while index + 2 < bytes.count {
                if bytes[index] == 0xE2 && bytes[index + 1] == 0x96 && bytes[index + 2] == 0x81 {
                    count += 1
                }
                index += 1
            }
            return count
        }
    }
}
