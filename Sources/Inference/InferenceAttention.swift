import Foundation
import Model
import Text

/// Which word looked at which: of a translator the output's words at the source's, of a language model every word
/// at those before it.
package struct AttentionView: Sendable, Encodable {
    package struct Layer: Sendable, Encodable {
        package let name: String
        /// For each head a row of `rows.count`, in it `columns.count` probabilities.
        package let heads: [[[Float]]]
    }

    package let rows: [String]
    package let columns: [String]
    package let layers: [Layer]
}

extension TrainedModel {
    /// Translates `sentence` (a language model reads it) and says where each head of each layer looked.
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
