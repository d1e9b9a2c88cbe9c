import Kernels
import Parameters

/// Ids with a meaning of their own, in every vocabulary.
enum Mark {
    static let begin: Int32 = 1
    static let end: Int32 = 2
    /// Pad and begin mark are never labels, so they are never generated.
    static let firstLabel = 2
}

/// Generates text with a trained model: greedy with a beam of one, else beam search.
///
/// Sources are decoded together, a row each, and leave when they are finished. A translation's bits
/// depend on its source and the parameters alone, never on its company.
package struct Decoding {
    /// The model that generates.
    package let model: Transformer

    private let prepared: DecoderWeights?

    /// Makes a generator for a model; with `prepared` it need not pack the matrices for each call.
    package init(_ model: Transformer, prepared: DecoderWeights? = nil) {
        self.model = model
        self.prepared = prepared
    }

    /// Returns the most words for a source of so many tokens, unless told otherwise.
    package static func usualLimit(_ sourceCount: Int) -> Int { 2 * sourceCount + 10 }

    /// Translates each source; the words come without marks.
    ///
    /// Sources end with the end mark, as in training; one without words gives no words. Generating
    /// stops at the end mark, after `lengthLimit(tokens of the source)` words, or when the model
    /// has no more positions. The sources are valid: ids below the vocabulary, not longer than
    /// the model's positions.
    package func translate(
        _ sources: [[Int32]], parameters: ParameterVector, beam: Int = 1,
        lengthLimit: (Int) -> Int = usualLimit
    ) -> [[Int32]] {
        search(
            sources, parameters: parameters, SearchChoices(width: beam), lengthLimit: lengthLimit
        ).map { $0.first?.words ?? [] }
    }

    /// The best outputs for each source, best first: as many as `choices` want, or fewer where the
    /// search finds no more; none for a source without words. The rest as `translate`.
    ///
    /// Sources enter as others leave, the longest first, so that products have many rows to the end.
    package func search(
        _ sources: [[Int32]], parameters: ParameterVector, _ choices: SearchChoices,
        lengthLimit: (Int) -> Int = usualLimit
    ) -> [[SearchOutput]] {
        precondition(model.architecture.kind == .encoderDecoder, "a language model can't translate")
        check(sources, parameters)
        let limits = sources.map { source in
            limit(choices.longest ?? max(choices.shortest, lengthLimit(source.count)))
        }
        var results = [[SearchOutput]](repeating: [], count: sources.count)
        var waiting = sources.indices.filter { index in
            sources[index].contains { $0 != Mark.end } && limits[index] > 0
        }
        waiting.sort { (sources[$0].count, $1) < (sources[$1].count, $0) }
        let most = max(1, Self.mostRows / choices.width)
        let decoder = IncrementalDecoder(
            model, weights(parameters), hypotheses: choices.width * min(most, waiting.count))
        let encoder = Encoder(model, parameters: parameters)
        var active: [ActiveSource] = []
        while !active.isEmpty || !waiting.isEmpty {
            // A quarter at a time, so that the encoder has many rows too.
            if active.count <= most - most / 4 {
                let entering = take(&waiting, sources, atMost: most - active.count)
                let memories = encoder.encode(entering.map { sources[$0] }, for: decoder)
                for (index, memory) in zip(entering, memories) {
                    active.append(
                        ActiveSource(
                            index: index, memory: memory, beam: Beam(choices, limit: limits[index]))
                    )
                }
            }
            advance(&active, decoder)
            active.removeAll { source in
                guard source.beam.live.isEmpty else { return false }
                results[source.index] = Array(source.beam.outputs.prefix(choices.outputs))
                return true
            }
        }
        return results
    }

    /// Hypotheses that are decoded together: enough for whole tiles, few enough for the cache.
    private static let mostRows = 96

    /// Takes the last of `waiting`: as many as keep the encoder's activations small.
    private func take(
        _ waiting: inout [Int], _ sources: [[Int32]], atMost most: Int
    ) -> [Int] {
        var taken: [Int] = []
        var tokens = 0
        while let next = waiting.last, taken.count < most {
            tokens += sources[next].count
            if !taken.isEmpty && tokens > 1024 { break }
            taken.append(waiting.removeLast())
        }
        return taken
    }

    private func weights(_ parameters: ParameterVector) -> DecoderWeights {
        guard let prepared, prepared.parameters === parameters else {
            return DecoderWeights(model, parameters: parameters)
        }
        return prepared
    }

    /// Continues each prompt, which comes without marks, with a language model.
    ///
    /// Returns the words that follow the prompt, at most `lengthLimit(words of the prompt)`.
    package func proceed(
        _ prompts: [[Int32]], parameters: ParameterVector, beam: Int = 1,
        lengthLimit: (Int) -> Int = usualLimit
    ) -> [[Int32]] {
        precondition(model.architecture.kind == .languageModel, "a translator needs a source")
        check(prompts, parameters)
        let weights = weights(parameters)
        return prompts.map { prompt in
            let longest = min(
                lengthLimit(prompt.count), model.architecture.positions - 1 - prompt.count)
            guard longest > 0 else { return [] }
            let decoder = IncrementalDecoder(model, weights, hypotheses: beam)
            var start = [Hypothesis()]
            let fed = [Mark.begin] + prompt
            for token in fed.dropLast() { _ = decoder.step([token], sources: [], &start) }
            let first = Beam(
                SearchChoices(width: beam), limit: longest, start: start[0],
                firstInput: fed[fed.count - 1])
            var active = [ActiveSource(index: 0, memory: nil, beam: first)]
            while !active[0].beam.live.isEmpty { advance(&active, decoder) }
            return active[0].beam.outputs.first?.words ?? []
        }
    }

    func check(_ sequences: [[Int32]], _ parameters: ParameterVector) {
        precondition(parameters.count == model.layout.count, "\(parameters.count) parameters")
        let (vocabulary, positions) = (model.architecture.vocabulary, model.architecture.positions)
        for ids in sequences {
            precondition(ids.count <= positions, "\(ids.count) tokens, \(positions) positions")
            precondition(ids.allSatisfy { $0 >= 0 && $0 < vocabulary }, "\(ids) of \(vocabulary)")
        }
    }

    /// The begin mark takes a position too, and the last word must be fed to rank the end mark.
    private func limit(_ wanted: Int) -> Int { min(wanted, model.architecture.positions - 1) }

    /// Goes one word further with all sources.
    private func advance(_ active: inout [ActiveSource], _ decoder: IncrementalDecoder) {
        var hypotheses = active.flatMap { $0.beam.live }
        let tokens = active.flatMap { $0.beam.inputs }
        let sources = active.flatMap { source in
            source.memory.map { [SourceMemory](repeating: $0, count: source.beam.live.count) } ?? []
        }
        let logits = decoder.step(tokens, sources: sources, &hypotheses)
        var row = 0
        for index in active.indices {
            let rows = row..<row + active[index].beam.live.count
            active[index].beam.advance(hypotheses[rows], logits, rows)
            row = rows.upperBound
        }
    }
}

/// A source whose translation is under way, or a prompt, which has no memory.
private struct ActiveSource {
    let index: Int
    let memory: SourceMemory?
    var beam: Beam
}

/// The encoder's side of decoding: several sources at a time.
private final class Encoder {
    private let model: Transformer
    private let parameters: ParameterVector
    private let tape: Tape

    init(_ model: Transformer, parameters: ParameterVector) {
        self.model = model
        self.parameters = parameters
        tape = Tape(model)
    }

    /// Returns what `decoder` needs of each source.
    func encode(_ sources: [[Int32]], for decoder: IncrementalDecoder) -> [SourceMemory] {
        guard !sources.isEmpty else { return [] }
        let packed = Sequences(sources)
        tape.begin(parameters: parameters)
        guard let memory = ForwardPass(model: model, tape: tape).encode(packed) else { return [] }
        return decoder.memories(of: memory.states.data, offsets: packed.offsets)
    }
}
