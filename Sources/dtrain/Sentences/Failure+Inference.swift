import Runtime

extension Failure {
    /// `option`: where the text that the model read was typed.
    init(_ error: InferenceError, option: String = "--prompt") {
        switch error {
        case .noModel(let path):
            self = .usage("\(path) is neither a run nor a checkpoint, give the folder of one")
        case .noCheckpoint(let run):
            self = .data("\(run) has no checkpoint yet, train until it has saved one")
        case .noTokenizer(let checkpoint):
            self = .data("\(checkpoint) has no tokenizer, take a checkpoint of a run on text")
        case .otherTokenizer(let checkpoint, let pieces, let vocabulary):
            self = .data(
                """
                \(checkpoint) has a tokenizer of \(pieces) pieces for a model of \(vocabulary), \
                take another checkpoint
                """)
        case .nothingToEvaluate(let path):
            self = .data(
                """
                \(path ?? "the run's own text") has nothing to evaluate, give a file with \
                --corpus, or for a language model with --text
                """)
        case .otherKind(let checkpoint, .languageModel):
            self = .usage(
                "\(shown(checkpoint)) is a language model, which translates nothing: "
                    + "'dtrain generate --run \(quoted(shown(checkpoint)))' goes on with texts")
        case .otherKind(let checkpoint, .encoderDecoder):
            self = .usage(
                "\(shown(checkpoint)) is no language model: "
                    + "'dtrain translate --run \(quoted(shown(checkpoint)))' translates lines")
        case .promptTooLong(let tokens, let positions):
            self = .usage(
                """
                \(option) has \(tokens) tokens where the model has \(positions) positions, shorten it
                """)
        }
    }
}

/// Does `body`; what it throws of a text names `option`, with which that was typed.
func naming<Result>(_ option: String, _ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as InferenceError {
        throw Failure(error, option: option)
    }
}
