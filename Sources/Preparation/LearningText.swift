import Settings
import Text

/// The text that a run learns from: sentence pairs, or plain text for a language model.
package enum LearningText: Sendable {
    case pairs(Corpus)
    case text(PlainText)

    /// Reads what `configuration` names. Throws as `Corpus` and `PlainText`.
    package init(
        _ configuration: RunConfiguration, rules: TextRules = .current, tooLong: TooLong = .skip
    ) throws(TextError) {
        switch configuration.architecture.kind {
        case .encoderDecoder:
            self = .pairs(
                try Corpus(
                    configuration.text.pairs, validation: configuration.text.validation,
                    rules: rules,
                    tooLong: tooLong))
        case .languageModel:
            self = .text(
                try PlainText(
                    configuration.text.text, validation: configuration.text.validation, rules: rules
                ))
        }
    }

    /// Counts of lines, and of pairs or passages, for the start of a run.
    package var summary: CorpusSummary {
        switch self {
        case .pairs(let corpus): corpus.summary
        case .text(let text): text.summary
        }
    }

    /// The fingerprints by which the text is known again.
    package var trace: TextTrace {
        switch self {
        case .pairs(let corpus): corpus.trace
        case .text(let text): text.trace
        }
    }

    /// The lines that a tokenizer learns its pieces from: nothing that is held out.
    package var lines: some Sequence<String> {
        let (pairs, passages): ([SentencePair], [Passage]) =
            switch self {
            case .pairs(let corpus): (corpus.training, [])
            case .text(let text): ([], text.training)
            }
        let lines = passages.lazy.flatMap { $0.text.split(separator: "\n").map(String.init) }
        return [AnySequence(pairs.lazy.flatMap { [$0.source, $0.target] }), AnySequence(lines)]
            .joined()
    }

    /// The samples that neither tokenizer nor training sees.
    package var heldOut: HeldOutText {
        switch self {
        case .pairs(let corpus): .pairs(corpus.heldOut)
        case .text(let text): .passages(text.heldOut)
        }
    }

    /// Both parts as tokens. Throws as `TokenizedCorpus`; `allTooLong`.
    package func tokenized(
        _ tokenizer: Tokenizer, positions: Int, tooLong: TooLong = .skip
    ) throws(TextError) -> (training: TokenizedCorpus, heldOut: TokenizedCorpus) {
        let training: TokenizedCorpus
        switch self {
        case .pairs(let corpus):
            training = try TokenizedCorpus(
                corpus.training, tokenizer: tokenizer, positions: positions, tooLong: tooLong)
        case .text(let text):
            training = try TokenizedCorpus(
                text.training, tokenizer: tokenizer, positions: positions)
        }
        if training.samples.isEmpty, training.tooLong.count > 0 {
            throw .allTooLong(training.tooLong, positions: positions)
        }
        return (
            training,
            try heldOut.tokenized(tokenizer, positions: positions, tooLong: tooLong)
        )
    }
}

/// The samples that are held out of a run's text, in words.
package enum HeldOutText: Sendable {
    case pairs([SentencePair])
    case passages([Passage])

    /// Throws as `TokenizedCorpus`.
    func tokenized(
        _ tokenizer: Tokenizer, positions: Int, tooLong: TooLong = .skip
    ) throws(TextError) -> TokenizedCorpus {
        switch self {
        case .pairs(let pairs):
            try TokenizedCorpus(
                pairs, tokenizer: tokenizer, positions: positions, tooLong: tooLong)
        case .passages(let passages):
            try TokenizedCorpus(passages, tokenizer: tokenizer, positions: positions)
        }
    }
}

extension RunConfiguration {
    /// The files that the text is read from.
    package var textFiles: [String] {
        let learnt: [String] =
            switch (architecture.kind, text.pairs) {
            case (.languageModel, _): [text.text].compactMap { $0 }
            case (.encoderDecoder, .embedded): []
            case (.encoderDecoder, .pairs(let path)): [path]
            case (.encoderDecoder, .files(let source, let target)): [source, target]
            }
        return learnt + [text.validation].compactMap { $0 }
    }
}
