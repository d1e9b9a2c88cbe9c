import Foundation
import Kernels
import Model
import Text
import Threads

/// The quality of a language model on a text that it has not seen.
package struct TextEvaluation: Sendable {
    /// Nats a token.
    package let loss: Double
    /// Number of tokens that were foretold, end marks included.
    package let tokens: Int
    /// Number of windows that the text was cut into.
    package let windows: Int
    /// Counts of the text's tokens, and of those that the tokenizer does not know.
    package let coverage: Coverage

    /// The loss as perplexity: e to the power of it.
    package var perplexity: Double { Elementary.exponential(loss) }
}

/// Texts that a model has gone on with.
package struct GeneratedTexts: Sendable {
    /// The texts, each with the prompt that it begins with.
    package let texts: [String]
    /// Number of texts that end because the model has no more positions.
    package let cut: Int
}

extension TrainedModel {
    /// Whether the model translates or goes on with a text.
    package var kind: Architecture.Kind { transformer.architecture.kind }

    /// Throws unless the model is of this kind: `InferenceError.otherKind`.
    package func require(_ kind: Architecture.Kind) throws(InferenceError) {
        guard self.kind == kind else {
            throw .otherKind(checkpoint: checkpoint.folder.path, kind: self.kind)
        }
    }

    /// The passages of a file, or without one those that the run itself held out.
    ///
    /// Throws: `TextError`; `InferenceError.ownTextUnreadable`, `ownTextHasPassed`.
    package func heldOutPassages(_ path: String? = nil) throws -> [Passage] {
        if let path { return try PassagesRead(path, rules: tokenizer.rules).passages }
        guard case .passages(let passages) = try ownText().heldOut else { return [] }
        return passages
    }

    /// The loss on passages; windows are cut as in validation.
    ///
    /// Throws: `TextError`; `InferenceError.nothingToEvaluate`, of the file `path`.
    package func evaluateText(
        _ passages: [Passage], of path: String? = nil, threads: Int
    ) throws -> TextEvaluation {
        let corpus = try TokenizedCorpus(passages, tokenizer: tokenizer, positions: positions)
        guard !corpus.samples.isEmpty else { throw InferenceError.nothingToEvaluate(path: path) }
        let losses = try losses(corpus, threads: threads)
        let labels = losses.reduce(0) { $0 + $1.labels }
        return TextEvaluation(
            loss: losses.reduce(0) { $0 + $1.negativeLogLikelihood } / Double(labels),
            tokens: labels, windows: corpus.samples.count, coverage: corpus.coverage)
    }

    /// `count` texts that begin with `prompt`, each a continuation of at most `length` tokens of
    /// its own.
    ///
    /// Throws: `TextError`; `InferenceError.promptTooLong`.
    package func generate(
        _ prompt: String, count: Int, length: Int, _ sampling: Sampling, threads: Int
    ) throws -> GeneratedTexts {
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
        let room = positions - words.count
        return GeneratedTexts(
            texts: try outputs.map { try prompt.continued(by: $0, behind: words, tokenizer) },
            cut: outputs.count { $0.count == room && room < length })
    }
}

extension String {
    /// The prompt as it was given, on one line, and what the model says behind it.
    ///
    /// A token that the tokenizer does not know would come back as unknown. Throws: `TextError`.
    fileprivate func continued(
        by output: [Int32], behind words: [Int32], _ tokenizer: Tokenizer
    ) throws(TextError) -> String {
        let read = try tokenizer.decode(words)
        let whole = try tokenizer.decode(words + output)
        var prompt = split(whereSeparator: \.isNewline).joined(separator: " ")
        guard whole.unicodeScalars.starts(with: read.unicodeScalars) else { return whole }
        // White space at its end has been read as none.
        while prompt.unicodeScalars.last?.properties.isWhitespace == true {
            prompt.unicodeScalars.removeLast()
        }
        return prompt + String(whole.unicodeScalars.dropFirst(read.unicodeScalars.count))
    }
}
