import Runtime
import Text

extension Failure {
    init(_ error: TextError) {
        switch error {
        case .unreadable(let file, let code):
            self = .io("\(file) cannot be read: \(reason(code))")
        case .emptyFile(let file):
            self = .data("\(file) is empty, give a file with text")
        case .invalidUTF8(let place, let offset):
            self = .data(
                "\(place.file), line \(place.line), is not UTF-8 at byte \(offset + 1), convert it")
        case .nulByte(let place, let offset):
            self = .data(
                """
                \(place.file), line \(place.line), has a NUL at byte \(offset + 1), convert the \
                file to UTF-8
                """)
        case .tabs(let place, let found):
            self = .data(
                """
                \(place.file), line \(place.line), has \(found == 0 ? "no tab" : "\(found) tabs"), \
                write source and target with exactly one between them
                """)
        case .lineTooLong(let place, let bytes, let limit):
            self = .data(
                """
                \(place.file), line \(place.line), has \(bytes) bytes, shorten it to at most \
                \(limit)
                """)
        case .lineCounts(let source, let sourceLines, let target, let targetLines):
            self = .data(
                """
                \(source) has \(sourceLines) lines and \(target) has \(targetLines), give files \
                whose lines belong together
                """)
        case .nothingToLearn(let file, let summary):
            self = .data(
                """
                \(file) leaves nothing to train on (\(summary.pairs) passages read, \
                \(summary.heldOut) held out), give more text
                """)
        case .nothingToTrainOn(let file, let summary):
            self = .data(
                """
                \(file) leaves no pair to train on (\(summary.pairs) read, \(summary.dropped) \
                dropped, \(summary.heldOut) held out), give more text
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
                --vocabulary \(requested) does not hold every character of this text, give at \
                least \(smallest)
                """)
        case .tokenizer(_, let message):
            self = .data("the tokenizer refused the text: \(message)")
        case .damagedTokenizer(let file, let offset):
            self = .data(
                """
                \(file) is no SentencePiece model or a damaged one (byte \(offset + 1)), give a \
                whole one
                """)
        case .notATokenizer(let file, let message):
            self = .data("\(file) is no SentencePiece model: \(message)")
        case .tokenizerMarks(let file, let pad, let begin, let end, let unknown):
            self = .data(
                """
                \(file) has pad \(pad), begin \(begin), end \(end), unknown \(unknown), give a \
                tokenizer with 0, 1, 2, 3
                """)
        case .unknownID(let id, let vocabulary):
            self = .data("token \(id) is not among the tokenizer's \(vocabulary)")
        case .sequenceTooLong(let place, let tokens, let positions):
            self = .data(
                """
                \(place.file), line \(place.line), has a sentence of \(tokens) tokens, raise \
                --positions \(positions) or shorten it
                """)
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
