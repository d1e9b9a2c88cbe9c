import Foundation
import Kernels
import Model
import Preparation
import Resources
import Scoring
import Text
import Threads

/// The quality of a translator on pairs that it has not seen.
package struct ModelEvaluation: Sendable {
    /// Unsmoothed nats a target token, the end mark included.
    package let loss: Double
    /// Number of pairs that count.
    package let pairs: Int
    /// Target tokens, end marks included.
    package let labels: Int
    /// Pairs that were left out because they have too many tokens.
    package let tooLong: Skipped
    /// Counts of the pairs' tokens, and of those that the tokenizer does not know.
    package let coverage: Coverage
    /// The pairs that count, and their translations in the same order.
    package let evaluated: [SentencePair]
    /// The model's translations; `.none` for a line that has none.
    package let translations: [Translation]
    /// Their texts.
    package let outputs: [String]
    /// The corpus's translations in NFC, as all that is learnt; the outputs are compared with them.
    package let references: [String]
    /// The pairs as the model reads them.
    let samples: [Sample]

    /// Returns the score of the outputs.
    package func score(by metric: some Metric) -> Score {
        guard let score = metric.score(of: outputs, against: [references]) else {
            preconditionFailure("an evaluation of no pair")
        }
        return score
    }

    /// The loss as perplexity: e to the power of it.
    package var perplexity: Double { Elementary.exponential(loss) }
}

/// A held-out sentence with what the model made of it.
package struct TranslationSample: Sendable {
    /// The sentence, in words.
    package let source: String
    /// The model's translation.
    package let output: String
    /// The translation that the corpus has.
    package let reference: String
}

/// The samples and the evaluation that a run shows at its end.
package struct Demonstration: Sendable {
    /// Samples spread evenly over the held-out pairs.
    package let samples: [TranslationSample]
    /// The evaluation of all held-out pairs.
    package let evaluation: ModelEvaluation
}

extension TrainedModel {
    /// Returns the text that the run learnt from, if it is still the same.
    ///
    /// Throws: `TextError`; `InferenceError.ownTextUnreadable`, `ownTextHasPassed`.
    func ownText() throws -> LearningText {
        for file in configuration.textFiles where TextFile.isPassing(file) {
            throw InferenceError.ownTextHasPassed(file: file)
        }
        do {
            let text = try LearningText(configuration, rules: memory.rules)
            try memory.check(text.trace)
            return text
        } catch TextError.unreadable(let file, let code) {
            throw InferenceError.ownTextUnreadable(file: file, code: code)
        }
    }

    /// The pairs of a corpus, or without one those that the run itself held out, and what became of
    /// the lines.
    ///
    /// Throws: `TextError`; `InferenceError.nothingToEvaluate` and as `ownText`.
    package func heldOutPairs(
        _ source: CorpusSource? = nil, tooLong: TooLong = .skip
    ) throws -> (pairs: [SentencePair], lines: LineCounts) {
        if let source {
            let read = try PairsRead(source, rules: tokenizer.rules, tooLong: tooLong)
            if read.pairs.isEmpty {
                throw InferenceError.nothingToEvaluate(path: source.name)
            }
            return (read.pairs, read.lines)
        }
        let text = try ownText()
        guard case .pairs(let pairs) = text.heldOut, !pairs.isEmpty else {
            throw InferenceError.nothingToEvaluate(path: nil)
        }
        return (pairs, text.summary.validation ?? text.summary.lines)
    }

    /// Returns loss and translations of at least one pair; the batches are cut as in validation, so
    /// the loss has the same bits.
    ///
    /// Throws: `TextError.allTooLong`; `sequenceTooLong` with the place where that is to stop.
    package func evaluate(
        _ pairs: [SentencePair], beam: Int, threads: Int, tooLong: TooLong = .skip
    ) throws -> ModelEvaluation {
        precondition(!pairs.isEmpty, "nothing to evaluate")
        let corpus = try TokenizedCorpus(
            pairs, tokenizer: tokenizer, positions: positions, tooLong: tooLong)
        if corpus.samples.isEmpty {
            throw TextError.allTooLong(corpus.tooLong, positions: positions)
        }
        let evaluated = corpus.kept(of: pairs)
        let losses = try losses(corpus, threads: threads)
        let labels = losses.reduce(0) { $0 + $1.labels }
        let translator = try Translator(self, beam: beam, threads: threads)
        let translations = translator.translations(evaluated.map(\.source)).map {
            (try? $0.get())?.first ?? .none
        }
        // Outputs are in NFC, as all that is learnt: references in another form say the same.
        let references = evaluated.map { $0.target.normalised(tokenizer.rules) }
        return ModelEvaluation(
            loss: losses.reduce(0) { $0 + $1.negativeLogLikelihood } / Double(labels),
            pairs: evaluated.count, labels: labels, tooLong: corpus.tooLong,
            coverage: corpus.coverage, evaluated: evaluated,
            translations: translations, outputs: translations.map(\.text),
            references: references, samples: corpus.samples)
    }

    /// Returns a line as references are compared: in the form that all that is learnt has.
    package func normalised(_ line: String) -> String { line.normalised(tokenizer.rules) }

    /// Returns what the model makes of the reference of every pair, in their order: unsmoothed nats,
    /// and tokens with the end mark. The sum over all is the evaluation's loss.
    ///
    /// - Throws: `ResourceError` where the system refuses one of the threads.
    package func lossesOfPairs(
        _ evaluation: ModelEvaluation, threads: Int
    ) throws(ResourceError) -> [ShardLoss] {
        let samples = evaluation.samples
        let pool = try LanePool(lanes: threads)
        defer { pool.stop() }
        // A lane keeps its memory, so it takes many pairs.
        let starts = Array(stride(from: 0, to: samples.count, by: Self.pairsOfLane))
        return pool.map(starts.count) { [self] index in
            let lane = Lane(transformer)
            let end = min(starts[index] + Self.pairsOfLane, samples.count)
            return samples[starts[index]..<end].map { sample in
                let shard = Shard(
                    samples: [0], sources: [sample.source], targets: [sample.target])
                return lane.loss(of: ModelInput(shard), parameters: parameters, smoothing: 0)
            }
        }.flatMap { $0 }
    }

    private static var pairsOfLane: Int { 64 }

    /// Returns translations of the sources of another model's evaluation, one for each; empty for one
    /// that is too long for this model.
    ///
    /// - Throws: `ResourceError` where the system refuses one of the threads.
    package func outputs(
        for evaluation: ModelEvaluation, beam: Int, threads: Int
    ) throws(ResourceError) -> [String] {
        let translator = try Translator(self, beam: beam, threads: threads)
        return translator.translate(evaluation.evaluated.map(\.source)).map {
            (try? $0.get()) ?? ""
        }
    }

    /// Translates what is held out and picks `samples` of it, spread evenly. Throws as `evaluate`.
    package func demonstrate(
        _ heldOut: [SentencePair], samples count: Int = 20, beam: Int, threads: Int
    ) throws -> Demonstration {
        let evaluation = try evaluate(heldOut, beam: beam, threads: threads)
        let pairs = evaluation.evaluated
        let chosen = (0..<min(count, pairs.count)).map {
            $0 * pairs.count / min(count, pairs.count)
        }
        return Demonstration(
            samples: chosen.map {
                TranslationSample(
                    source: pairs[$0].source, output: evaluation.outputs[$0],
                    reference: pairs[$0].target)
            },
            evaluation: evaluation)
    }

    func losses(
        _ corpus: TokenizedCorpus, threads: Int
    ) throws(ResourceError) -> [ShardLoss] {
        let batches = BatchSchedule.batchesInOrder(
            corpus, batchTokens: configuration.batches.tokens, shards: configuration.batches.shards)
        let shards = batches.flatMap(\.shards)
        let pool = try LanePool(lanes: threads)
        defer { pool.stop() }
        return pool.map(shards.count) { [self] index in
            Lane(transformer).loss(
                of: ModelInput(shards[index]), parameters: parameters, smoothing: 0)
        }
    }
}
