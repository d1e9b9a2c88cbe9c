import Text
import Wire

extension Failure {
    package init(_ error: TextError) {
        switch error {
        case .unreadable(let file, let code):
            self = .io("\(shown(file)) cannot be read: \(reason(code))")
        case .emptyFile(let file):
            self = .data("\(shown(file)) is empty, give a file with text")
        case .foreign(let file, let format):
            self = .data(Self.sentence(format, file))
        case .invalidUTF8(let place, let offset, let likely):
            let encoding = likely?.rawValue ?? "ENCODING"
            self = .data(
                "\(named(place)), is not UTF-8 at byte \(offset + 1)"
                    + (likely.map { " and looks like \($0.rawValue)" } ?? "")
                    + ", convert it with "
                    + Self.command("iconv -f \(encoding) -t UTF-8", place.file))
        case .nulByte(let place, let offset):
            self = .data(
                """
                \(named(place)), has a NUL at byte \(offset + 1), which no text \
                has, take it out
                """)
        case .tabs(let place, let found):
            self = .data(
                """
                \(named(place)), has \(found == 0 ? "no tab" : "\(found) tabs"), \
                write source and target with exactly one between them
                """)
        case .lineTooLong(let place, let bytes, let limit):
            self = .data(
                """
                \(named(place)), has \(bytes) bytes, shorten it to at most \
                \(limit) or give --too-long skip
                """)
        case .lineCounts(let source, let sourceLines, let target, let targetLines):
            self = .data(
                """
                \(shown(source)) has \(sourceLines) lines and \(shown(target)) has \(targetLines), give files \
                whose lines belong together
                """)
        case .nothingToLearn(let file, let summary):
            self = .data(
                """
                \(shown(file)) leaves nothing to train on (\(summary.lines.read) passages read, \
                \(summary.heldOut) held out), give more text, or --validation, which takes the \
                place of what is held out
                """)
        case .nothingToTrainOn(let file, let summary):
            self = .data(
                """
                \(shown(file)) leaves no pair to train on (\(summary.lines.read) lines read, \
                \(summary.lines.dropped) without words, \(summary.lines.tooLong.count) too long, \
                \(summary.heldOut) held out), give more text, or --validation, which takes the \
                place of what is held out
                """)
        default: self.init(tokens: error)
        }
    }

    private init(tokens error: TextError) {
        switch error {
        case .vocabularyTooLarge(let requested, let largest):
            self = .data(
                """
                --vocabulary \(requested) is more than this text has pieces, give at most \
                \(largest) or more text
                """)
        case .vocabularyTooSmall(let requested, let smallest):
            self = .data(
                """
                a vocabulary of \(requested) does not hold every character of this text, give \
                --vocabulary \(smallest) or more
                """)
        case .tokenizer(_, let message):
            self = .data("the tokenizer refused the text: \(message)")
        case .damagedTokenizer(let file, let offset):
            self = .data(
                """
                \(shown(file)) is no SentencePiece model or a damaged one (byte \(offset + 1)), give a \
                whole one
                """)
        case .notATokenizer(let file, let message):
            self = .data("\(shown(file)) is no SentencePiece model (\(message)), give a whole one")
        case .tokenizerMarks(let file, let pad, let begin, let end, let unknown):
            self = .data(
                """
                \(shown(file)) has pad \(pad), begin \(begin), end \(end), unknown \(unknown), give a \
                tokenizer with 0, 1, 2, 3
                """)
        case .vocabulary(let file, let at):
            self = .data(
                "\(shown(file)) gives no number to each piece (byte \(at)), take another checkpoint"
            )
        case .vocabularyMarks(let file):
            self = .data("\(shown(file)) lacks marks or has one twice, take another checkpoint")
        case .unknownID(let id, let vocabulary):
            self = .data("token \(id) is not among the tokenizer's \(vocabulary)")
        case .sequenceTooLong(let place, let tokens, let positions):
            self = .data(
                """
                \(named(place)), has a sentence of \(tokens) tokens where the \
                model has \(positions) positions, raise --positions or give --too-long skip
                """)
        case .allTooLong(let skipped, let positions):
            self = .data(
                "every pair is left out: \(Words.sentence(of: skipped, positions: positions)), raise "
                    + "--positions or give shorter ones")
        case .otherText(let difference):
            self = .data(Self.sentence(difference))
        case .otherTokenizer(let file):
            self = .data(
                "\(file.isEmpty ? "the tokenizer" : file) is not the tokenizer that this run began "
                    + "with, leave --tokenizer out or begin a new run with --from")
        case .unfitSchedule(let samples, let batchTokens, let shards):
            self = .data(
                """
                \(samples) sentence pairs cannot be cut into batches of \(batchTokens) tokens and \
                \(shards) shards, give more text
                """)
        case .malformedShard(let at, let fault):
            self = .data("a batch came damaged at number \(at): \(plainWords(fault))")
        default: preconditionFailure("no sentence for \(error)")
        }
    }
}

private func named(_ place: Place) -> String { "\(shown(place.file)), line \(place.line)" }

// MARK: What a file is instead of text

extension Failure {
    private static func sentence(_ format: ForeignFormat, _ file: String) -> String {
        let (name, tool): (String, String) =
            switch format {
            case .gzip: ("packed with gzip", "gzip -dc")
            case .zstd: ("packed with zstd", "zstd -dc")
            case .xz: ("packed with xz", "xz -dc")
            case .bzip2: ("packed with bzip2", "bzip2 -dc")
            case .lz4: ("packed with lz4", "lz4 -dc")
            case .zip: ("a ZIP archive", "unzip -p")
            case .sevenZip: ("a 7z archive", "7z x -so")
            case .tar: ("a tar archive", "tar -xOf")
            case .pdf: ("a PDF", "pdftotext")
            case .parquet: ("a Parquet table", "")
            case .utf16LittleEndian: ("UTF-16", "iconv -f UTF-16LE -t UTF-8")
            case .utf16BigEndian: ("UTF-16", "iconv -f UTF-16BE -t UTF-8")
            case .utf32LittleEndian: ("UTF-32", "iconv -f UTF-32LE -t UTF-8")
            case .utf32BigEndian: ("UTF-32", "iconv -f UTF-32BE -t UTF-8")
            case .carriageReturns: ("text whose lines end with CR alone", "tr '\\r' '\\n'")
            }
        switch format {
        case .parquet: return "\(shown(file)) is \(name), write its text to a file of lines"
        case .pdf: return "\(shown(file)) is \(name), write its text to a file with pdftotext"
        case .gzip, .zstd, .xz, .bzip2, .lz4, .zip, .sevenZip, .tar:
            return
                "\(shown(file)) is \(name), unpack it with \(command(tool, file, readsInput: false))"
        default:
            return
                "\(shown(file)) is \(name), convert it with "
                + command(tool, file, readsInput: format == .carriageReturns)
        }
    }

    /// What to type; the file's name only where it is one that a shell takes as it stands.
    private static func command(
        _ tool: String, _ file: String, readsInput: Bool = false
    ) -> String {
        let plain = file.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || "/._-+@%,".utf8.contains($0)
        }
        let name =
            file == TextFile.standardInput ? "FILE" : plain ? shown(file) : quoted(shown(file))
        return readsInput ? "\(tool) < \(name) > NEW" : "\(tool) \(name) > NEW"
    }

    private static func quoted(_ file: String) -> String {
        "'" + file.replacing("'", with: "'\\''") + "'"
    }

    private static func sentence(_ difference: TextDifference) -> String {
        let unit = difference.unit == .pairs ? "pairs" : "passages"
        let count =
            difference.samples == difference.samplesBefore
            ? ""
            : " (it has \(grouped(difference.samples)) \(unit) where it had "
                + "\(grouped(difference.samplesBefore)))"
        let advice = ", give the text as it was, from any path, or begin a new run with --from"
        let file = "\(shown(difference.file)) is not the text that this run began with"
        let found =
            switch difference.kind {
            case .changed(let lines) where lines.count == 1:
                "\(file): line \(lines.lowerBound) differs"
            case .changed(let lines):
                "\(file): it differs about line "
                    + "\(lines.lowerBound), by line \(lines.upperBound) at the latest"
            case .addedAfter(let line):
                "\(file): there is more after line \(line)"
            case .cutAfter(let line):
                "\(file): it ends after line \(line)"
            case .validation where difference.samplesBefore == 0:
                "\(shown(difference.file)) is a validation file, and this run began without one"
            case .validation:
                "this run began with the validation file \(shown(difference.file))"
            }
        return found + (difference.kind == .validation ? "" : count) + advice
    }
}
