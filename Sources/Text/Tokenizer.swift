import CSentencePiece

/// SentencePiece's pieces of words, one vocabulary for source and target.
///
/// Ids: 0 pad, 1 begin, 2 end, 3 unknown, then the pieces. Encoding and decoding may be called from
/// any number of threads.
///
/// Source: Kudo and Richardson, "SentencePiece", EMNLP 2018.
package final class Tokenizer: Sendable {
    /// The id of padding, which no sample holds.
    package static let pad: Int32 = 0
    /// The id of the begin mark, which the decoder reads first.
    package static let begin: Int32 = 1
    /// The id of the end mark, which ends sources and labels.
    package static let end: Int32 = 2
    /// The id of text that no piece stands for.
    package static let unknown: Int32 = 3

    /// The way to choose pieces.
    ///
    /// Byte pairs are the default. A 4-gram model (Witten and Bell) of the embedded text's
    /// training French was asked about held-out French. With 2,000 and 2,600 byte pairs it gives
    /// 30.0 and 30.0 nats a sentence, with unigram pieces 30.3 and 30.7. Unigram vocabularies end
    /// at 2,611, byte pairs at 8,427.
    package enum Method: String, Sendable, CaseIterable {
        /// Kudo, "Subword regularization", ACL 2018.
        case unigram
        /// Sennrich, Haddow, Birch, "Neural machine translation of rare words", ACL 2016.
        case bytePairs = "bpe"
    }

    /// The bytes of the model, as SentencePiece's own files hold them.
    package let model: [UInt8]
    /// The number of ids, marks included.
    package let vocabulary: Int
    /// The rules that normalise a text before it is encoded.
    package let rules: TextRules
    private let loaded: LoadedPieces
    /// The rest of a Marian model's tokenizer; nil for one of dtrain's kind.
    let marianParts: MarianParts?

    /// Loads a model that `file` holds, or the files of a Marian model.
    ///
    /// Throws: `damagedTokenizer`, `notATokenizer`, `tokenizerMarks`, `vocabulary`, `vocabularyMarks`.
    package init(
        model: [UInt8], file: String, rules: TextRules = .current
    ) throws(TextError) {
        self.model = model
        self.rules = rules
        if MarianFiles.begins(model) {
            let parts = try MarianParts(model, file: file)
            loaded = try LoadedPieces(parts.files.source, file: file)
            marianParts = parts
            vocabulary = parts.pieces.texts.count
            return
        }
        marianParts = nil
        loaded = try LoadedPieces(model, file: file)
        let pieces = loaded.pointer
        vocabulary = Int(dtrain_pieces_vocabulary(pieces))
        var marks: [Int32] = [-1, -1, -1, -1]
        dtrain_pieces_marks(pieces, &marks)
        guard marks == [Self.pad, Self.begin, Self.end, Self.unknown] else {
            throw .tokenizerMarks(
                file: file, pad: Int(marks[0]), begin: Int(marks[1]), end: Int(marks[2]),
                unknown: Int(marks[3]))
        }
    }

    private var pieces: OpaquePointer { loaded.pointer }

    /// Chooses `vocabulary` pieces (marks included) for the lines; the same bytes each time.
    ///
    /// Throws: `lineTooLong` (its place counts the lines given), `vocabularyTooLarge`, `vocabularyTooSmall`, `tokenizer`.
    package static func train(
        on lines: some Sequence<String>, vocabulary: Int, method: Method = .bytePairs,
        rules: TextRules = .current
    ) throws(TextError) -> Tokenizer {
        guard let pieces = Int32(exactly: vocabulary), pieces > 4 else {
            throw vocabulary > 4
                ? .vocabularyTooLarge(requested: vocabulary, largest: Int(Int32.max))
                : .vocabularyTooSmall(requested: vocabulary, smallest: 5)
        }
        var text: [UInt8] = []
        for (index, line) in lines.enumerated() {
            let line = line.normalised(rules)
            // The library ends the process over a word of more than 65,535 characters.
            guard line.utf8.count <= 2 * TextFile.longestLine else {
                throw .lineTooLong(
                    Place(file: "", line: index + 1), bytes: line.utf8.count,
                    limit: 2 * TextFile.longestLine)
            }
            text.append(contentsOf: line.utf8)
            text.append(0x0A)
        }
        let reserved = rules == .first ? ReservedText() : ReservedText(mending: &text)
        var model: UnsafeMutablePointer<UInt8>?
        var size = 0
        var message: UnsafeMutablePointer<CChar>?
        let code = text.withUnsafeBufferPointer { text in
            text.withMemoryRebound(to: CChar.self) { text in
                let training = dtrain_pieces_training(
                    text: text.baseAddress, text_size: text.count, vocabulary: pieces,
                    byte_pairs: method == .bytePairs ? 1 : 0,
                    whole_block: reserved.hasBlock ? 1 : 0)
                return dtrain_pieces_train(training, &model, &size, &message)
            }
        }
        defer { dtrain_pieces_release(model) }
        guard code == 0 else {
            throw failure(code, take(message), requested: vocabulary)
        }
        let bytes = [UInt8](UnsafeBufferPointer(start: model, count: size))
        return try Tokenizer(model: bytes, file: "", rules: rules)
    }

    /// Chooses as many pieces as the lines allow, at most `vocabulary`. Throws as `train`, but for
    /// `vocabularyTooLarge`.
    package static func train(
        on lines: some Sequence<String>, atMost vocabulary: Int, method: Method = .bytePairs,
        rules: TextRules = .current
    ) throws(TextError) -> Tokenizer {
        do throws(TextError) {
            return try train(on: lines, vocabulary: vocabulary, method: method, rules: rules)
        } catch {
            guard case .vocabularyTooLarge(_, let largest) = error else { throw error }
            return try train(on: lines, vocabulary: largest, method: method, rules: rules)
        }
    }

    /// Chooses pieces for both sides of a corpus's training pairs; what is held out stays unseen.
    package static func train(
        on corpus: Corpus, vocabulary: Int, method: Method = .bytePairs
    ) throws(TextError) -> Tokenizer {
        let lines = corpus.training.lazy.flatMap { [$0.source, $0.target] }
        return try train(
            on: lines, vocabulary: vocabulary, method: method, rules: corpus.trace.rules)
    }

    /// Returns the pieces of a text, no marks around them. Throws: `tokenizer`.
    package func encode(_ text: String, as side: Side = .source) throws(TextError) -> [Int32] {
        if let marianParts {
            let model = side == .source ? loaded : marianParts.target
            return try marianParts.encode(text.normalised(rules), by: model)
        }
        var ids: UnsafeMutablePointer<Int32>?
        var count = 0
        var message: UnsafeMutablePointer<CChar>?
        var text = text.normalised(rules)
        let code = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                dtrain_pieces_encode(
                    pieces, characters.baseAddress, characters.count, &ids, &count, &message)
            }
        }
        defer { dtrain_pieces_release(ids) }
        guard code == 0 else { throw .tokenizer(code: code, message: Self.take(message)) }
        return [Int32](UnsafeBufferPointer(start: ids, count: count))
    }

    /// Returns the text of some ids; marks are silent, the unknown one reads " ⁇ ".
    ///
    /// Throws: `unknownID`, `tokenizer`.
    package func decode(_ ids: [Int32]) throws(TextError) -> String {
        if let stranger = ids.first(where: { !(0..<vocabulary).contains(Int($0)) }) {
            throw .unknownID(Int(stranger), vocabulary: vocabulary)
        }
        if let marianParts { return try marianParts.decode(ids) }
        var text: UnsafeMutablePointer<CChar>?
        var size = 0
        var message: UnsafeMutablePointer<CChar>?
        let code = dtrain_pieces_decode(pieces, ids, ids.count, &text, &size, &message)
        defer { dtrain_pieces_release(text) }
        guard code == 0 else { throw .tokenizer(code: code, message: Self.take(message)) }
        return String(decoding: UnsafeRawBufferPointer(start: text, count: size), as: UTF8.self)
    }

    /// Returns the text of every id in order, marks included; U+2581 stands for a space. Throws: `tokenizer`.
    package func allPieces() throws(TextError) -> [String] {
        if let marianParts { return marianParts.texts }
        var found: [String] = []
        for id in 0..<Int32(vocabulary) {
            var text: UnsafeMutablePointer<CChar>?
            var size = 0
            var message: UnsafeMutablePointer<CChar>?
            let code = dtrain_pieces_piece(pieces, id, &text, &size, &message)
            defer { dtrain_pieces_release(text) }
            guard code == 0 else { throw .tokenizer(code: code, message: Self.take(message)) }
            found.append(
                String(decoding: UnsafeRawBufferPointer(start: text, count: size), as: UTF8.self))
        }
        return found
    }

    /// Returns the parts of a text that are unknown, one behind the other. Throws: `tokenizer`.
    package func unknown(
        in text: String, as side: Side = .source
    ) throws(TextError) -> String {
        if let marianParts {
            let model = side == .source ? loaded : marianParts.target
            return try marianParts.unknown(in: text.normalised(rules), by: model)
        }
        var found: UnsafeMutablePointer<CChar>?
        var size = 0
        var message: UnsafeMutablePointer<CChar>?
        var text = text.normalised(rules)
        let code = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                dtrain_pieces_unknown(
                    pieces, characters.baseAddress, characters.count, &found, &size, &message)
            }
        }
        defer { dtrain_pieces_release(found) }
        guard code == 0 else { throw .tokenizer(code: code, message: Self.take(message)) }
        return String(decoding: UnsafeRawBufferPointer(start: found, count: size), as: UTF8.self)
    }

    static func take(_ message: UnsafeMutablePointer<CChar>?) -> String {
        guard let message else { return "" }
        defer { dtrain_pieces_release(message) }
        return String(cString: message)
    }

    /// SentencePiece says "Vocabulary size too high (8000). Please set it to a value <= 5719." and
    /// "Vocabulary size is smaller than required_chars. 10 vs 84. …".
    private static func failure(_ code: Int32, _ message: String, requested: Int) -> TextError {
        func number(after phrase: String) -> Int? {
            guard let found = message.firstRange(of: phrase) else { return nil }
            return Int(message[found.upperBound...].prefix(while: \.isNumber))
        }
        if let largest = number(after: "a value <= ") {
            return .vocabularyTooLarge(requested: requested, largest: largest)
        }
        if message.contains("smaller than required_chars"), let smallest = number(after: " vs ") {
            return .vocabularyTooSmall(requested: requested, smallest: smallest)
        }
        return .tokenizer(code: code, message: message)
    }
}
