/// The pieces of a Marian model under dtrain's ids.
///
/// Ids 0 to 3 are the pad, begin, end and unknown marks as in every vocabulary. All others follow in
/// Marian's order. Where Marian's decoder begins with the padding, ids 0 and 1 are both that.
struct MarianPieces: Sendable {
    /// The id of each of Marian's numbers.
    let ids: [Int32]
    /// The text of each id in UTF-8; nil for a number without a piece.
    let texts: [[UInt8]?]
    private let known: [[UInt8]: Int32]

    /// A reason why the files make no vocabulary.
    enum Fault: Error, Hashable {
        /// `vocab.json` breaks a rule at a byte, counted from 0.
        case vocabulary(at: Int)
        /// A mark has no piece.
        case mark(String)
        /// Two marks are one piece.
        case marks
        case size
    }

    init(_ files: MarianFiles) throws(Fault) {
        guard (4...MarianFiles.largestSize).contains(files.size) else { throw .size }
        let table: PieceTable
        do throws(PieceTable.Fault) {
            table = try PieceTable(files.vocabulary, limit: files.size)
        } catch {
            throw .vocabulary(at: error.at)
        }
        guard let unknown = table.entries.first(where: { $0.piece.elementsEqual("<unk>".utf8) })
        else { throw .mark("<unk>") }
        let (pad, start, end) = (files.pad, files.start, files.end)
        let marks = [pad, start, end, unknown.number]
        for mark in [pad, start, end] where !(0..<files.size).contains(mark) {
            throw .mark("\(mark)")
        }
        guard Set(marks).count == (pad == start ? 3 : 4) else { throw .marks }
        var ids = [Int32](repeating: -1, count: files.size)
        for (id, number) in marks.enumerated() { ids[number] = Int32(id) }
        var next = Int32(marks.count)
        for number in ids.indices where ids[number] < 0 {
            ids[number] = next
            next += 1
        }
        var texts = [[UInt8]?](repeating: nil, count: Int(next))
        var known: [[UInt8]: Int32] = [:]
        for (piece, number) in table.entries {
            texts[Int(ids[number])] = piece
            known[piece] = ids[number]
        }
        if pad == start { texts[0] = texts[1] }
        self.ids = ids
        self.texts = texts
        self.known = known
    }

    /// Returns the id of a piece; the unknown mark for one that is not among them.
    func id(of piece: some Collection<UInt8>) -> Int32 {
        known[Array(piece)] ?? Tokenizer.unknown
    }
}
