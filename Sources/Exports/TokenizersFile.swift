import Foundation
import Text

/// `tokenizer.json` of the library `tokenizers`: a SentencePiece model, and what dtrain does to a text
/// before it is split.
struct TokenizersFile {
    /// The JSON, a piece or a rule a line.
    let text: String

    /// Throws: `ExportError.tokenizer` for a model of words or of characters.
    init(_ model: ExportedModel) throws {
        guard let own = SentencePieceModel(model.tokenizer.model), own.splits != nil else {
            throw ExportError.tokenizer(format: TransformersFormat.name)
        }
        let pieces = model.pieces
        text = """
            {
              "version": "1.0",
              "truncation": null,
              "padding": null,
              "added_tokens": [
            \(Self.marks(pieces))
              ],
              "normalizer": \(Self.normalizer(own)),
              "pre_tokenizer": null,
              "post_processor": \(Self.beginning(pieces)),
              "decoder": {"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0}
              ]},
              "model": \(Self.model(own, pieces))
            }

            """
    }

    private static func marks(_ pieces: [String]) -> String {
        pieces.prefix(4).enumerated().map { id, piece in
            """
                {"id": \(id), "content": \(JSONText.quoted(piece)), "single_word": false, \
            "lstrip": false, "rstrip": false, "normalized": false, "special": true}
            """
        }.joined(separator: ",\n")
    }

    /// White space as dtrain sees it, and what it takes off the ends of a text.
    private static let space = #"\\s\\x1c-\\x1f\\x{2581}"#
    private static let margin =
        space
        + #"\\x{ad}\\x{34f}\\x{61c}\\x{180e}\\x{200b}-\\x{200f}\\x{202a}-\\x{202e}"#
        + #"\\x{2060}-\\x{206f}\\x{feff}"#

    private static func normalizer(_ own: SentencePieceModel) -> String {
        func replace(_ expression: String, _ content: String) -> String {
            """
            {"type": "Replace", "pattern": {"Regex": "\(expression)"}, "content": "\(content)"}
            """
        }
        var steps = [
            replace("^[\(margin)]+|[\(margin)]+$", ""), #"{"type": "NFC"}"#,
            replace("[\(space)]+", " "),
        ]
        if !own.characterMap.isEmpty {
            let map = Data(own.characterMap).base64EncodedString()
            steps.append(#"{"type": "Precompiled", "precompiled_charsmap": "\#(map)"}"#)
            steps.append(replace(" {2,}", " "))
            steps.append(replace("^ +| +$", ""))
        }
        if own.addsSpace { steps.append(#"{"type": "Prepend", "prepend": "▁"}"#) }
        steps.append(#"{"type": "Replace", "pattern": {"String": " "}, "content": "▁"}"#)
        let lines = steps.map { "    \($0)" }.joined(separator: ",\n")
        return "{\"type\": \"Sequence\", \"normalizers\": [\n\(lines)\n  ]}"
    }

    /// A text begins with the begin mark, as in training.
    private static func beginning(_ pieces: [String]) -> String {
        let begin = JSONText.quoted(pieces[Int(Tokenizer.begin)])
        let id = Tokenizer.begin
        return """
            {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": \(begin), "type_id": 0}}, \
            {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"SpecialToken": {"id": \(begin), "type_id": 0}}, \
            {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
                "special_tokens": {\(begin): {"id": \(begin), "ids": [\(id)], "tokens": [\(begin)]}}}
            """
    }

    private static func model(_ own: SentencePieceModel, _ pieces: [String]) -> String {
        if own.splits == .unigram {
            // Ids without a piece are as unlikely as the least likely one.
            let least = own.pieces.map(\.score).min() ?? 0
            let lines = pieces.enumerated().map { id, piece in
                let score = id < own.pieces.count ? own.pieces[id].score : least
                return "      [\(JSONText.quoted(piece)), \(score.isFinite ? score : least)]"
            }
            return """
                {"type": "Unigram", "unk_id": \(Tokenizer.unknown), \
                "byte_fallback": \(own.fallsBackToBytes), "vocab": [
                \(lines.joined(separator: ",\n"))
                    ]}
                """
        }
        let merges = own.merges.map {
            "      [\(JSONText.quoted($0.left)), \(JSONText.quoted($0.right))]"
        }
        return """
            {"type": "BPE", "dropout": null, "unk_token": \
            \(JSONText.quoted(pieces[Int(Tokenizer.unknown)])), "continuing_subword_prefix": null, \
            "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": \
            \(own.fallsBackToBytes), "ignore_merges": false,
                "vocab": \(JSONText.numbers(of: pieces, indent: "    ")),
                "merges": [
            \(merges.joined(separator: ",\n"))
                ]}
            """
    }
}
