import Foundation
import Model
import Text
import Threads

/// How well a language model foretells a text that it has not seen.
package struct TextEvaluation: Sendable {
    /// Nats a token.
    package let loss: Double
    package let tokens: Int
    package let windows: Int
    /// How much of the text the tokenizer knows.
    package let coverage: Coverage

    package var perplexity: Double { exp(loss) }
}

/// Texts that a model has gone on with.
package struct GeneratedTexts: Sendable {
    package let texts: [String]
    /// How many end because the model has no more positions.
    package let cut: Int
}

extension TrainedModel {
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

    /// `count` texts that begin with `prompt`, each a continuation of at most `length` tokens of its own.
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
    /// What a tokenizer does not know of a prompt would come back as unknown. Throws: `TextError`.
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
