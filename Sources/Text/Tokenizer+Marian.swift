/// What differs where the tokenizer is that of a Marian model.
extension Tokenizer {
    /// The side of a pair that a text is. Only Marian splits the two by different models.
    package enum Side: Sendable { case source, target }

    /// The files of a Marian model, byte for byte; nil for a tokenizer of dtrain's kind.
    package var marian: MarianFiles? { marianParts?.files }

    /// dtrain's id of each of Marian's numbers; nil for a tokenizer of dtrain's kind.
    package var marianIDs: [Int]? { marianParts?.pieces.ids.map(Int.init) }

    /// The second model and the numbers of pieces.
    struct MarianParts: Sendable {
        let files: MarianFiles
        let pieces: MarianPieces
        let target: LoadedPieces

        /// Throws: `damagedTokenizer`, `notATokenizer`, `vocabulary`, `vocabularyMarks`.
        init(_ bytes: [UInt8], file: String) throws(TextError) {
            guard let files = MarianFiles(bytes) else {
                throw .damagedTokenizer(file: file, offset: 0)
            }
            do throws(MarianPieces.Fault) {
                pieces = try MarianPieces(files)
            } catch {
                guard case .vocabulary(let at) = error else { throw .vocabularyMarks(file: file) }
                throw .vocabulary(file: file, at: at)
            }
            self.files = files
            target = try LoadedPieces(files.target, file: file)
        }

        /// Returns the ids of a text that begins with the code of a language or does not.
        /// Throws: `tokenizer`.
        func encode(_ text: String, by model: LoadedPieces) throws(TextError) -> [Int32] {
            try split(text, by: model).map { pieces.id(of: $0) }
        }

        /// `>>fra<<` before a text is a piece by itself, whatever the models make of it.
        private func split(
            _ text: String, by model: LoadedPieces
        ) throws(TextError) -> [[UInt8]] {
            guard text.hasPrefix(">>"), let close = text.firstRange(of: "<<") else {
                return try model.split(text)
            }
            let code = Array(text[..<close.upperBound].utf8)
            return [code] + (try model.split(String(text[close.upperBound...])))
        }

        /// Returns the text of ids; the marks but for the unknown one are silent. Throws: `tokenizer`.
        func decode(_ ids: [Int32]) throws(TextError) -> String {
            let unknown = Array("<unk>".utf8)
            let words = ids.filter { $0 >= Tokenizer.unknown }.map {
                pieces.texts[Int($0)] ?? unknown
            }
            let text = try target.join(words).replacing("▁", with: " ").unicodeScalars
            let start = text.drop { $0.isSpace }
            guard let last = start.lastIndex(where: { !$0.isSpace }) else { return "" }
            return String(start[...last])
        }

        /// Returns the parts of a text that have no piece. Throws: `tokenizer`.
        func unknown(in text: String, by model: LoadedPieces) throws(TextError) -> String {
            try split(text, by: model)
                .filter { pieces.id(of: $0) == Tokenizer.unknown }
                .map { String(decoding: $0, as: UTF8.self).replacing("▁", with: "") }
                .joined()
        }

        /// Returns the text of every id; those without have names that no piece has.
        var texts: [String] {
            let known = Set(pieces.texts.compactMap { $0 })
            var next = 0
            func fresh() -> String {
                while true {
                    defer { next += 1 }
                    if !known.contains(Array("<unused\(next)>".utf8)) { return "<unused\(next)>" }
                }
            }
            return pieces.texts.enumerated().map { id, text in
                // The padding's row is there twice.
                let isCopy = id == Int(Tokenizer.begin) && text == pieces.texts[0]
                guard let text, !isCopy else { return fresh() }
                return String(decoding: text, as: UTF8.self)
            }
        }
    }
}
