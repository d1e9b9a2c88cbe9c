/// The text that SentencePiece's trainer keeps for itself, and so never learns from. It is lines
/// with U+2585, and characters of the names of marks, such as `<s>`.
struct ReservedText {
    /// U+2585 has stood somewhere: it has to be made a piece by itself.
    private(set) var hasBlock = false

    init() {}

    private static let block: [UInt8] = [0xE2, 0x96, 0x85]
    private static let marks = ["<pad>", "<s>", "</s>", "<unk>"].map { Array($0.utf8) }
    /// No piece goes across it, and it is no piece: what the trainer itself puts in a mark's place.
    private static let boundary: UInt8 = 0x09

    /// Takes U+2585 out of lines, each ended by a line feed. Adds those characters as lines that
    /// stand nowhere but in names of marks. Other text stays as it is.
    init(mending text: inout [UInt8]) {
        takeBlocks(out: &text)
        let hidden = Self.hiddenCharacters(in: text)
        for character in hidden { text += [character, 0x0A] }
    }

    private mutating func takeBlocks(out text: inout [UInt8]) {
        guard let first = Self.firstBlock(in: text) else { return }
        hasBlock = true
        var mended = Array(text[..<first])
        mended.reserveCapacity(text.count)
        text.withUnsafeBufferPointer { text in
            var index = first
            while index < text.count {
                let isBlock =
                    text[index] == Self.block[0] && text[index...].starts(with: Self.block)
                mended.append(isBlock ? Self.boundary : text[index])
                index += isBlock ? Self.block.count : 1
            }
        }
        text = mended
    }

    private static func firstBlock(in text: [UInt8]) -> Int? {
        text.withUnsafeBufferPointer { text in
            text.indices.first { text[$0] == block[0] && text[$0...].starts(with: block) }
        }
    }

    /// The characters of marks' names that stand nowhere else, in the order of their codes.
    private static func hiddenCharacters(in text: [UInt8]) -> [UInt8] {
        var names = [Bool](repeating: false, count: 256)
        var elsewhere = names
        var hasName = false
        text.withUnsafeBufferPointer { text in
            var index = 0
            while index < text.count {
                if text[index] == UInt8(ascii: "<"),
                    let mark = marks.first(where: { text[index...].starts(with: $0) })
                {
                    hasName = true
                    for byte in mark { names[Int(byte)] = true }
                    index += mark.count
                } else {
                    elsewhere[Int(text[index])] = true
                    index += 1
                }
            }
        }
        guard hasName else { return [] }
        return (0..<256).filter { names[$0] && !elsewhere[$0] }.map { UInt8($0) }
    }
}
