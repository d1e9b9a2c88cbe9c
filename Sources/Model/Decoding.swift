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
/// Sources are decoded together, a row each, and leave when they are finished.
package struct Decoding {
    /// The model that generates.
    package let model: Transformer

    /// Makes a generator for a model.
    package init(_ model: Transformer) {
        self.model = model
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
        let full = sources.indices.filter { index in
            sources[index].contains { $0 != Mark.end } && limits[index] > 0
        }
        let tape = Tape(model)
        for batch in batches(full, sources: sources, beam: choices.width) {
            let packed = Sequences(batch.map { sources[$0] })
            tape.begin(parameters: parameters)
            let memory = ForwardPass(model: model, tape: tape).encode(packed)
            let decoder = IncrementalDecoder(
                model, parameters: parameters, memory: memory?.states.data,
                offsets: packed.offsets, hypotheses: choices.width * batch.count)
            let beams = batch.map { Beam(choices, limit: limits[$0]) }
            for (index, outputs) in zip(batch, search(beams, decoder)) {
                results[index] = Array(outputs.prefix(choices.outputs))
            }
        }
        return results
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
        return prompts.map { prompt in
            let longest = min(
                lengthLimit(prompt.count), model.architecture.positions - 1 - prompt.count)
            guard longest > 0 else { return [] }
            let decoder = IncrementalDecoder(
                model, parameters: parameters, memory: nil, offsets: [], hypotheses: beam)
            var start = [Hypothesis()]
            let fed = [Mark.begin] + prompt
            for token in fed.dropLast() { _ = decoder.step([token], sources: [0], &start) }
            let first = Beam(
                SearchChoices(width: beam), limit: longest, start: start[0],
                firstInput: fed[fed.count - 1])
            return search([first], decoder)[0].first?.words ?? []
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

    /// Neighbouring sources, as many as keep activations and logits small.
    private func batches(_ indices: [Int], sources: [[Int32]], beam: Int) -> [[Int]] {
        var batches: [[Int]] = []
        var tokens = 0
        for index in indices {
            tokens += sources[index].count
            if let last = batches.last, tokens <= 1024, (last.count + 1) * beam <= 512 {
                batches[batches.count - 1].append(index)
            } else {
                batches.append([index])
                tokens = sources[index].count
            }
        }
        return batches
    }

    /// Runs all beams to their end, in step.
    private func search(
        _ beams: [Beam], _ decoder: IncrementalDecoder
    ) -> [[SearchOutput]] {
        var beams = beams
        var active = Array(beams.indices)
        while !active.isEmpty {
            var hypotheses = active.flatMap { beams[$0].live }
            let tokens = active.flatMap { beams[$0].inputs }
            let sources = active.flatMap { index in beams[index].live.map { _ in index } }
            let logits = decoder.step(tokens, sources: sources, &hypotheses)
            var row = 0
            for index in active {
                let rows = row..<row + beams[index].live.count
                beams[index].live = Array(hypotheses[rows])
                let ranked = rows.map { row in
                    beams[index].mustEnd
                        ? [logits.ranked(row: row, column: Int(Mark.end))]
                        : logits.ranked(
                            row: row, count: beams[index].offers, from: Mark.firstLabel)
                }
                beams[index].advance(ranked)
                row = rows.upperBound
            }
            active.removeAll { beams[$0].live.isEmpty }
        }
        return beams.map { $0.outputs }
    }
}
