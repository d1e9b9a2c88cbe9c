import Foundation
import Model
import Text

/// How well a language model foretells a text that it has not seen.
package struct TextEvaluation: Sendable {
    /// Nats a token.
    package let loss: Double
    package let tokens: Int
    package let windows: Int

    package var perplexity: Double { exp(loss) }
}

extension TrainedModel {
    package var kind: Architecture.Kind { transformer.architecture.kind }

    /// Throws unless the model is of this kind: `InferenceError.otherKind`.
    package func require(_ kind: Architecture.Kind) throws(InferenceError) {
        guard self.kind == kind else {
            throw .otherKind(checkpoint: checkpoint.folder.path, kind: self.kind)
        }
    }

    /// The loss on a file, or without one on what the run itself held out; windows are cut as in validation.
    ///
    /// Throws: `TextError`; `InferenceError.nothingToEvaluate`.
    package func evaluateText(_ path: String? = nil, threads: Int) throws -> TextEvaluation {
        let passages =
            try path.map { path throws(TextError) in try PlainText.read(path) }
            ?? PlainText(configuration.text.text, validation: configuration.text.validation).heldOut
        let corpus = try TokenizedCorpus(passages, tokenizer: tokenizer, positions: positions)
        guard !corpus.samples.isEmpty else { throw InferenceError.nothingToEvaluate(path: path) }
        let losses = try losses(corpus, threads: threads)
        let labels = losses.reduce(0) { $0 + $1.labels }
        return TextEvaluation(
            loss: losses.reduce(0) { $0 + $1.negativeLogLikelihood } / Double(labels),
            tokens: labels, windows: corpus.samples.count)
    }

    /// `count` texts that begin with `prompt`, each a continuation of at most `length` tokens of its own.
    ///
    /// Throws: `TextError`; `InferenceError.promptTooLong`.
    package func generate(
        _ prompt: String, count: Int, length: Int, _ sampling: Sampling, threads: Int
    ) throws -> [String] {
        let words = try tokenizer.encode(prompt)
        guard words.count < positions else {
            throw InferenceError.promptTooLong(tokens: words.count, positions: positions)
        }
        let pool = try LanePool(lanes: min(threads, max(1, count)))
        defer { pool.stop() }
        let outputs = pool.map(count) { [self] index in
            Decoding(transformer).sample(
                words, parameters: parameters, sampling, stream: index, limit: length)
        }
        return try outputs.map { try tokenizer.decode(words + $0) }
    }
}
