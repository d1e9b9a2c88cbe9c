import CSentencePiece

/// A SentencePiece model in memory. Any number of threads may use it.
final class LoadedPieces: Sendable {
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Throws: `damagedTokenizer`, `notATokenizer`.
    init(_ model: [UInt8], file: String) throws(TextError) {
        if let offset = CharacterMap.fault(in: model) {
            throw .damagedTokenizer(file: file, offset: offset)
        }
        var pieces: OpaquePointer?
        var message: UnsafeMutablePointer<CChar>?
        let code = dtrain_pieces_load(model, model.count, &pieces, &message)
        let words = Tokenizer.take(message)
        guard code == 0, let pieces else { throw .notATokenizer(file: file, message: words) }
        pointer = pieces
    }

    deinit { dtrain_pieces_free(pointer) }

    /// Returns the pieces of a text as they are written; an unknown one is the text itself.
    /// Throws: `tokenizer`.
    func split(_ text: String) throws(TextError) -> [[UInt8]] {
        var bytes: UnsafeMutablePointer<CChar>?
        var lengths: UnsafeMutablePointer<Int32>?
        var count = 0
        var message: UnsafeMutablePointer<CChar>?
        var text = text
        let code = text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { characters in
                dtrain_pieces_split(
                    pointer, characters.baseAddress, characters.count, &bytes, &lengths, &count,
                    &message)
            }
        }
        defer {
            dtrain_pieces_release(bytes)
            dtrain_pieces_release(lengths)
        }
        guard code == 0 else { throw .tokenizer(code: code, message: Tokenizer.take(message)) }
        var rest = UnsafeRawPointer(bytes)
        return UnsafeBufferPointer(start: lengths, count: count).map { length in
            defer { rest = rest.map { $0 + Int(length) } }
            return [UInt8](UnsafeRawBufferPointer(start: rest, count: Int(length)))
        }
    }

    /// Returns the text of pieces as they are written. Throws: `tokenizer`.
    func join(_ pieces: [[UInt8]]) throws(TextError) -> String {
        var text: UnsafeMutablePointer<CChar>?
        var size = 0
        var message: UnsafeMutablePointer<CChar>?
        let bytes = pieces.flatMap { $0 }
        let lengths = pieces.map { Int32($0.count) }
        let code = bytes.withUnsafeBytes { bytes in
            dtrain_pieces_join(
                pointer, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), lengths,
                lengths.count, &text, &size, &message)
        }
        defer { dtrain_pieces_release(text) }
        guard code == 0 else { throw .tokenizer(code: code, message: Tokenizer.take(message)) }
        return String(decoding: UnsafeRawBufferPointer(start: text, count: size), as: UTF8.self)
    }
}
