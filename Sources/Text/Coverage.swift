/// A count of how much of a text a tokenizer knows.
package struct Coverage: Sendable, Hashable {
    /// The number of tokens of words, without marks.
    package private(set) var tokens = 0
    /// The number of those tokens that are unknown.
    package private(set) var unknownTokens = 0
    /// The number of times that each unknown character stands in the text.
    package private(set) var unknown: [Unicode.Scalar: Int] = [:]

    /// Makes a count of nothing.
    package init() {}

    /// Counts what a text was encoded as. Throws: `tokenizer`.
    mutating func count(
        _ ids: [Int32], of text: String, _ tokenizer: Tokenizer,
        as side: Tokenizer.Side = .source
    ) throws(TextError) {
        tokens += ids.count
        let unknowns = ids.count { $0 == Tokenizer.unknown }
        guard unknowns > 0 else { return }
        unknownTokens += unknowns
        for scalar in try tokenizer.unknown(in: text, as: side).unicodeScalars where scalar != " " {
            unknown[scalar, default: 0] += 1
        }
    }

    /// Returns the sums of two counts.
    package func and(_ other: Coverage) -> Coverage {
        var both = self
        both.tokens += other.tokens
        both.unknownTokens += other.unknownTokens
        both.unknown.merge(other.unknown) { $0 + $1 }
        return both
    }

    /// The share of unknown tokens among all, 0 to 1; 0 of no tokens.
    package var unknownShare: Double {
        tokens == 0 ? 0 : Double(unknownTokens) / Double(tokens)
    }

    /// Whether one token in a thousand or more is unknown: then a translation suffers visibly.
    package var isPoor: Bool { unknownTokens > 0 && unknownTokens * 1000 >= tokens }

    /// The characters that are unknown most often, the commonest first.
    package func commonest(_ count: Int) -> [Unicode.Scalar] {
        let sorted = unknown.sorted { ($1.value, $0.key.value) < ($0.value, $1.key.value) }
        return sorted.prefix(count).map(\.key)
    }
}

extension Coverage: Codable {
    enum CodingKeys: String, CodingKey { case tokens, unknownTokens, unknown }

    /// Reads what `encode` has written.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        tokens = try values.decode(Int.self, forKey: .tokens)
        unknownTokens = try values.decode(Int.self, forKey: .unknownTokens)
        for (text, count) in try values.decode([String: Int].self, forKey: .unknown) {
            for scalar in text.unicodeScalars { unknown[scalar] = count }
        }
    }

    /// Writes the counts; characters are keys of one letter.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(tokens, forKey: .tokens)
        try values.encode(unknownTokens, forKey: .unknownTokens)
        let characters = unknown.map { (String($0.key), $0.value) }
        try values.encode(
            Dictionary(characters, uniquingKeysWith: { $1 }), forKey: .unknown)
    }
}

extension Tokenizer {
    /// Returns the characters of a text that the tokenizer's own normaliser rewrites or leaves out.
    /// They are in the order of their codes. Throws: `tokenizer`.
    ///
    /// Tokenizers that are trained here have no such normaliser.
    package func rewritten(
        _ texts: some Sequence<String>
    ) throws(TextError) -> [Unicode.Scalar] {
        guard CharacterMap.isIn(marian?.source ?? model) else { return [] }
        var characters: Set<Unicode.Scalar> = []
        for text in texts { characters.formUnion(text.normalised(rules).unicodeScalars) }
        characters.remove(" ")
        var rewritten: [Unicode.Scalar] = []
        for character in characters.sorted(by: { $0.value < $1.value }) {
            let text = String(character)
            let ids = try encode(text)
            // An unknown one is counted elsewhere.
            guard !ids.contains(Self.unknown), text.normalised(rules) == text else { continue }
            let back = try decode(ids)
            // Equal as Swift compares strings is not enough: it compares as Unicode does.
            if !back.unicodeScalars.elementsEqual(text.unicodeScalars) {
                rewritten.append(character)
            }
        }
        return rewritten
    }
}
