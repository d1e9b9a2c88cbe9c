import Foundation
import Model
import Resources
import Text

/// How well a model does on pairs it has not seen.
package struct ModelEvaluation: Sendable {
    /// Unsmoothed nats a target token, the end mark included.
    package let loss: Double
    package let bleu: BLEU
    package let pairs: Int
    /// Target tokens, end marks included.
    package let labels: Int
    /// The translations, in the order of the pairs.
    package let outputs: [String]

    package var perplexity: Double { exp(loss) }
}

/// A held-out sentence with what the model made of it.
package struct TranslationSample: Sendable {
    package let source: String
    package let output: String
    package let reference: String
}

/// What a run shows at its end.
package struct Demonstration: Sendable {
    package let samples: [TranslationSample]
    /// Of all held-out pairs.
    package let evaluation: ModelEvaluation
}

extension TrainedModel {
    /// The pairs of a file, or without one those that the run itself held out.
    ///
    /// Throws: `TextError`; `InferenceError.nothingToEvaluate`.
    package func heldOutPairs(_ path: String? = nil) throws -> [SentencePair] {
        let corpus =
            try path.map { path throws(TextError) in try Corpus(validation: path) }
            ?? Corpus(configuration.text.pairs, validation: configuration.text.validation)
        guard !corpus.heldOut.isEmpty else { throw InferenceError.nothingToEvaluate(path: path) }
        return corpus.heldOut
    }

    /// Loss and BLEU of at least one pair; the batches are cut as in validation, so the loss has
    /// the same bits.
    ///
    /// Throws: `TextError.sequenceTooLong` with the place.
    package func evaluate(
        _ pairs: [SentencePair], beam: Int, threads: Int
    ) throws -> ModelEvaluation {
        precondition(!pairs.isEmpty, "nothing to evaluate")
        let corpus = try TokenizedCorpus(pairs, tokenizer: tokenizer, positions: positions)
        let losses = try losses(corpus, threads: threads)
        let labels = losses.reduce(0) { $0 + $1.labels }
        let translator = try Translator(self, beam: beam, threads: threads)
        let outputs = translator.translate(pairs.map(\.source)).map { (try? $0.get()) ?? "" }
        return ModelEvaluation(
            loss: losses.reduce(0) { $0 + $1.negativeLogLikelihood } / Double(labels),
            bleu: BLEU.corpus(hypotheses: outputs, references: pairs.map(\.target)),
            pairs: pairs.count, labels: labels, outputs: outputs)
    }

    /// Translates the held-out part and picks `samples` of it, spread evenly. Throws as `evaluate`.
    package func demonstrate(
        samples count: Int = 20, beam: Int, threads: Int
    ) throws -> Demonstration {
        let pairs = try heldOutPairs()
        let evaluation = try evaluate(pairs, beam: beam, threads: threads)
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
