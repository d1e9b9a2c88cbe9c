/// What a SentencePiece model's file says, for those who write it in another form.
///
/// Source: sentencepiece_model.proto.
package struct SentencePieceModel: Sendable {
    /// One piece, by its place in the file its id.
    package struct Piece: Sendable {
        /// The text, in which U+2581 stands for a space.
        package let text: String
        /// The logarithm of its probability; of byte pairs its rank, negated.
        package let score: Float
        /// Whether text can be split into it: it is no mark, no byte and not unused.
        package let isText: Bool
    }

    /// The way in which a text is split into pieces.
    package enum Splitting: Sendable { case unigram, bytePairs }

    /// The pieces, in the order of their ids.
    package private(set) var pieces: [Piece] = []
    /// The way in which a text is split; nil for models of words or of characters.
    package private(set) var splits: Splitting? = .unigram
    /// Whether characters without a piece become their bytes.
    package private(set) var fallsBackToBytes = false
    /// Whether a space is put before a text.
    package private(set) var addsSpace = true
    /// The table by which characters are normalised; empty without one.
    package private(set) var characterMap: [UInt8] = []

    /// Reads a model; nil if it is none.
    package init?(_ model: [UInt8]) {
        do throws(ProtocolFields.Fault) {
            var fields = ProtocolFields(model, 0..<model.count)
            while let field = try fields.next() {
                guard let place = field.content else { continue }
                var parts = ProtocolFields(model, place)
                switch field.number {
                case 1: try readPiece(&parts, model)
                case 2: try readTrainer(&parts)
                case 3: try readNormalizer(&parts, model)
                default: break
                }
            }
        } catch {
            return nil
        }
        guard !pieces.isEmpty else { return nil }
    }

    private mutating func readPiece(
        _ parts: inout ProtocolFields, _ model: [UInt8]
    ) throws(ProtocolFields.Fault) {
        var (text, score, kind) = ("", Float(0), UInt64(1))
        while let part = try parts.next() {
            switch part.number {
            case 1: text = part.content.map { String(decoding: model[$0], as: UTF8.self) } ?? ""
            case 2: score = Float(bitPattern: UInt32(truncatingIfNeeded: part.value))
            case 3: kind = part.value
            default: break
            }
        }
        // 1 is normal, 4 was defined by the user.
        pieces.append(Piece(text: text, score: score, isText: kind == 1 || kind == 4))
    }

    private mutating func readTrainer(
        _ parts: inout ProtocolFields
    ) throws(ProtocolFields.Fault) {
        while let part = try parts.next() {
            switch part.number {
            case 3: splits = part.value == 1 ? .unigram : part.value == 2 ? .bytePairs : nil
            case 35: fallsBackToBytes = part.value != 0
            default: break
            }
        }
    }

    private mutating func readNormalizer(
        _ parts: inout ProtocolFields, _ model: [UInt8]
    ) throws(ProtocolFields.Fault) {
        while let part = try parts.next() {
            switch part.number {
            case 2: characterMap = part.content.map { Array(model[$0]) } ?? []
            case 3: addsSpace = part.value != 0
            default: break
            }
        }
    }

    /// The pairs of pieces that make a piece, those of the best piece first.
    package var merges: [(left: String, right: String)] {
        var ids: [[UInt8]: Int] = [:]
        for (id, piece) in pieces.enumerated() where piece.isText {
            ids[Array(piece.text.utf8)] = id
        }
        var found: [(score: Float, left: Int, right: Int)] = []
        for piece in pieces where piece.isText {
            let bytes = Array(piece.text.utf8)
            for cut in bytes.indices.dropFirst() where bytes[cut] & 0xC0 != 0x80 {
                guard let left = ids[Array(bytes[..<cut])], let right = ids[Array(bytes[cut...])]
                else { continue }
                found.append((piece.score, left, right))
            }
        }
        found.sort { (-$0.score, $0.left, $0.right) < (-$1.score, $1.left, $1.right) }
        return found.map { (pieces[$0.left].text, pieces[$0.right].text) }
    }
}
