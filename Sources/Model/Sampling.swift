import Kernels
import Parameters

/// The way in which a language model's next word is drawn.
///
///     p_i ∝ e^(z_i / T)  over the `topK` likeliest words, of which the fewest that together have `topP`
///
/// Source: Fan, Lewis, Dauphin, "Hierarchical neural story generation" (2018); Holtzman et al., "The curious
/// case of neural text degeneration" (2020).
package struct Sampling: Hashable, Sendable {
    /// The temperature T, at least 0; 0 always takes the likeliest.
    package var temperature: Double
    /// The number of likeliest words that may be drawn; 0 leaves all.
    package var topK: Int
    /// The probability that the words left have together, above 0; 1 leaves all.
    package var topP: Double
    /// The seed of the draws.
    package var seed: UInt64

    /// Makes a sampling of its parts, which must lie in their ranges.
    package init(temperature: Double = 1, topK: Int = 0, topP: Double = 1, seed: UInt64 = 1) {
        precondition(temperature >= 0 && topK >= 0 && topP > 0 && topP <= 1)
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.seed = seed
    }

    /// Returns the word that `uniform` in [0, 1) draws; the lower of equally likely
    /// ones comes first. Words below `first` and logits that are no numbers are
    /// left out; nil if nothing is left.
    package func draw(_ logits: [Float], from first: Int, uniform: Double) -> Int32? {
        var ranked = (first..<logits.count).filter { logits[$0].isFinite }
        ranked.sort { (logits[$1], $0) < (logits[$0], $1) }
        guard let best = ranked.first else { return nil }
        if temperature == 0 { return Int32(best) }
        if topK > 0 { ranked = Array(ranked.prefix(topK)) }
        let highest = Double(logits[best])
        var weights = ranked.map {
            Elementary.exponential((Double(logits[$0]) - highest) / temperature)
        }
        let enough = topP * weights.reduce(0, +)
        var sum = 0.0
        if let last = weights.firstIndex(where: {
            sum += $0
            return sum >= enough
        }) {
            weights = Array(weights[...last])
        }
        var left = uniform * weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            left -= weight
            if left < 0 { return Int32(ranked[index]) }
        }
        return Int32(ranked[weights.count - 1])
    }
}

extension Decoding {
    /// Goes on with a prompt, which comes without marks, by drawing words; `stream` tells continuations of
    /// one prompt apart.
    ///
    /// Returns the words behind the prompt: at most `limit`, up to the end mark, as far as the model's
    /// positions reach. The prompt is valid and has fewer words than the model has positions.
    package func sample(
        _ prompt: [Int32], parameters: ParameterVector, _ sampling: Sampling, stream: Int,
        limit: Int
    ) -> [Int32] {
        precondition(model.architecture.kind == .languageModel, "a translator needs a source")
        check([prompt], parameters)
        let longest = min(limit, model.architecture.positions - prompt.count)
        let decoder = IncrementalDecoder(
            model, DecoderWeights(model, parameters: parameters), hypotheses: 1)
        let random = Philox(
            seed: sampling.seed, UInt32(truncatingIfNeeded: stream), 0, Self.sampling)
        var path = [Hypothesis()]
        var words: [Int32] = []
        for token in [Mark.begin] + prompt.dropLast() where !prompt.isEmpty {
            _ = decoder.step([token], sources: [], &path)
        }
        while words.count < longest {
            let fed = words.last ?? prompt.last ?? Mark.begin
            let logits = decoder.step([fed], sources: [], &path)
            let word = random.words(UInt32(truncatingIfNeeded: words.count))[0]
            let drawn = sampling.draw(
                logits.rows(0..<1).elements(), from: Mark.firstLabel,
                uniform: Double(word) / 4_294_967_296)
            guard let drawn, drawn != Mark.end else { break }
            words.append(drawn)
        }
        return words
    }

    /// Keeps these numbers apart from dropout's and the first values'.
    private static let sampling = UInt32.max - 1
}
