/// What a Marian model in transformers' form brings to split text: two SentencePiece models, the
/// numbers that `vocab.json` gives to their pieces, and the numbers of its marks.
///
/// A run keeps all of it as one file, since a checkpoint has one tokenizer: lines of names and
/// numbers, an empty line, and the three files end to end, byte for byte.
package struct MarianFiles: Equatable, Sendable {
    /// The SentencePiece model that splits sources.
    package var source: [UInt8]
    /// The SentencePiece model that splits targets.
    package var target: [UInt8]
    /// `vocab.json`: an object with the number of each piece.
    package var vocabulary: [UInt8]
    /// The number of rows of the model's embedding.
    package var size: Int
    /// The number of the padding.
    package var pad: Int
    /// The number that the decoder reads first.
    package var start: Int
    /// The number of the end mark.
    package var end: Int

    /// Makes them of their parts, unchecked.
    package init(
        source: [UInt8], target: [UInt8], vocabulary: [UInt8], size: Int, pad: Int, start: Int,
        end: Int
    ) {
        self.source = source
        self.target = target
        self.vocabulary = vocabulary
        self.size = size
        self.pad = pad
        self.start = start
        self.end = end
    }

    private static let opening = "dtrain tokenizer of Marian, format 1"
    private static let names = ["size", "pad", "start", "end", "source", "target", "vocabulary"]

    /// Whether bytes begin as one file of all of it does, rather than as a SentencePiece model.
    static func begins(_ bytes: [UInt8]) -> Bool { bytes.starts(with: (opening + "\n").utf8) }

    /// All of it as one file.
    package var bytes: [UInt8] {
        let numbers = [size, pad, start, end, source.count, target.count, vocabulary.count]
        let lines = zip(Self.names, numbers).map { "\($0) \($1)\n" }.joined()
        return Array("\(Self.opening)\n\(lines)\n".utf8) + source + target + vocabulary
    }

    /// Reads what `bytes` has written; nil if it is anything else.
    init?(_ bytes: [UInt8]) {
        guard Self.begins(bytes) else { return nil }
        var place = Self.opening.utf8.count + 1
        var numbers: [Int] = []
        for name in Self.names {
            guard let end = bytes[place...].prefix(40).firstIndex(of: 0x0A) else { return nil }
            let words = String(decoding: bytes[place..<end], as: UTF8.self).split(separator: " ")
            guard words.count == 2, words[0] == name, let number = Int(words[1]), number >= 0,
                number <= bytes.count + Self.largestSize
            else { return nil }
            numbers.append(number)
            place = end + 1
        }
        let contents = numbers[4...]
        guard place < bytes.count, bytes[place] == 0x0A,
            place + 1 + contents.reduce(0, +) == bytes.count
        else { return nil }
        place += 1
        let files = contents.map { count in
            defer { place += count }
            return Array(bytes[place..<place + count])
        }
        self.init(
            source: files[0], target: files[1], vocabulary: files[2], size: numbers[0],
            pad: numbers[1], start: numbers[2], end: numbers[3])
        // One value has one form, so that equal tokenizers are equal files.
        guard self.bytes == bytes else { return nil }
    }

    /// The most rows that an embedding has here.
    package static let largestSize = 1_000_000
}
