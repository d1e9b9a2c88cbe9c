import Runtime

extension Failure {
    init(_ error: InferenceError) {
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
                "\(checkpoint) is a language model, which translates nothing, use dtrain generate")
        case .otherKind(let checkpoint, .encoderDecoder):
            self = .usage("\(checkpoint) translates, use dtrain translate")
        case .notFinite(let checkpoint):
            self = .data(
                """
                \(checkpoint) gives no finite numbers: its training went astray, take an earlier \
                checkpoint or train anew with a lower --learning-rate
                """)
        case .promptTooLong(let tokens, let positions):
            self = .usage(
                """
                --prompt has \(tokens) tokens where the model has \(positions) positions, shorten it
                """)
        }
    }
}
