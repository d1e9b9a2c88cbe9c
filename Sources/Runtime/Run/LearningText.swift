import Settings
import Text

/// What a run learns from: sentence pairs, or a text for a language model.
package enum LearningText: Sendable {
    case pairs(Corpus)
    case text(PlainText)

    /// Reads what `configuration` names. Throws as `Corpus` and `PlainText`.
    package init(_ configuration: RunConfiguration) throws(TextError) {
        switch configuration.architecture.kind {
        case .encoderDecoder:
            self = .pairs(
                try Corpus(configuration.text.pairs, validation: configuration.text.validation))
        case .languageModel:
            self = .text(
                try PlainText(configuration.text.text, validation: configuration.text.validation))
        }
    }

    package var summary: CorpusSummary {
        switch self {
        case .pairs(let corpus): corpus.summary
        case .text(let text): text.summary
        }
    }

    /// What a tokenizer learns its pieces from: nothing that is held out.
    package var lines: [String] {
        switch self {
        case .pairs(let corpus): corpus.training.flatMap { [$0.source, $0.target] }
        case .text(let text):
            text.training.flatMap { $0.text.split(separator: "\n").map(String.init) }
        }
    }

    /// Both parts as tokens. Throws as `TokenizedCorpus`.
    package func tokenized(
        _ tokenizer: Tokenizer, positions: Int
    ) throws(TextError) -> (training: TokenizedCorpus, heldOut: TokenizedCorpus) {
        switch self {
        case .pairs(let corpus):
            let training = try TokenizedCorpus(
                corpus.training, tokenizer: tokenizer, positions: positions)
            return (
                training,
                try TokenizedCorpus(corpus.heldOut, tokenizer: tokenizer, positions: positions)
            )
        case .text(let text):
            let training = try TokenizedCorpus(
                text.training, tokenizer: tokenizer, positions: positions)
            return (
                training,
                try TokenizedCorpus(text.heldOut, tokenizer: tokenizer, positions: positions)
            )
        }
    }
}
