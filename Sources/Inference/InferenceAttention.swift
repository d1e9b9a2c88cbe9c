import Foundation
import Model
import Text

/// The attention of a model's words. A translator's output looks at the source; in a language model
/// every word looks at those before it.
package struct AttentionView: Sendable, Encodable {
    /// The attention of one layer.
    package struct Layer: Sendable, Encodable {
        /// The layer's name, as its parameters begin: `decoder.layers.0`.
        package let name: String
        /// Probabilities: for each head `rows.count` rows of `columns.count`, which sum to 1.
        package let heads: [[[Float]]]
    }

    /// The words that look, one a token; the end mark is `⟨end⟩`.
    package let rows: [String]
    /// The words that are looked at, one a token.
    package let columns: [String]
    /// The decoder's layers, or all of a language model, from the input on.
    package let layers: [Layer]
}

extension TrainedModel {
    /// Translates `sentence` (a language model reads it) and says where each head of each layer
    /// looked.
    ///
    /// Throws: `TextError`; `InferenceError.promptTooLong`.
    package func attention(_ sentence: String) throws -> AttentionView {
        let words = try tokenizer.encode(sentence)
        guard words.count < positions else {
            throw InferenceError.promptTooLong(tokens: words.count, positions: positions)
        }
        let names = transformer.layers.map(\.name)
        switch kind {
        case .encoderDecoder:
            let source = words + [Tokenizer.end]
            let output = Decoding(transformer).translate([source], parameters: parameters)[0]
            let maps = maps(source: [source], decoder: output, labels: output + [Tokenizer.end])
            let encoderLayers = transformer.architecture.encoderLayers
            // Behind the encoder's come each decoder layer's to itself and to the source.
            let layers = names[encoderLayers...].enumerated().map { index, name in
                AttentionView.Layer(name: name, heads: maps[encoderLayers + 2 * index + 1].heads)
            }
            return AttentionView(
                rows: try labels(output + [Tokenizer.end]), columns: try labels(source),
                layers: layers)
        case .languageModel:
            let labels = try labels([Tokenizer.begin] + words)
            let maps = maps(source: [], decoder: words, labels: words + [Tokenizer.end])
            return AttentionView(
                rows: labels, columns: labels,
                layers: zip(names, maps).map { .init(name: $0, heads: $1.heads) })
        }
    }

    private func maps(source: [[Int32]], decoder: [Int32], labels: [Int32]) -> [AttentionMap] {
        let input = ModelInput(
            source: Sequences(source), decoder: Sequences([[Tokenizer.begin] + decoder]),
            labels: labels)
        return Lane(transformer).attention(of: input, parameters: parameters)
    }

    private func labels(_ ids: [Int32]) throws(TextError) -> [String] {
        var labels: [String] = []
        for id in ids {
            switch id {
            case Tokenizer.begin: labels.append("⟨begin⟩")
            case Tokenizer.end: labels.append("⟨end⟩")
            default:
                let text = try tokenizer.decode([id]).normalised
                labels.append(text.isEmpty ? "▁" : text)
            }
        }
        return labels
    }
}
