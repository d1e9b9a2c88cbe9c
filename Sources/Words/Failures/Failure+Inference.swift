import Inference
import Text

extension Failure {
    /// `option`: where the text that the model read was typed.
    package init(_ error: InferenceError, option: String = "--prompt") {
        switch error {
        case .noModel(let path):
            let what = missing(path) ?? "\(shown(path)) is neither a run nor a checkpoint"
            self = .usage("\(what), give the folder of a run or a checkpoint")
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
        case .ownTextUnreadable(let file, let code):
            self = .io(
                """
                the run's own text \(file) cannot be read: \(reason(code)), give a file with \
                --corpus, or for a language model with --text
                """)
        case .ownTextHasPassed(let file):
            self = .data(
                """
                the run has read its own text from \(passing(file)), which can be read but once, give \
                a file with --corpus, or for a language model with --text
                """)
        case .otherKind(let checkpoint, .languageModel):
            self = .usage(
                "\(shown(checkpoint)) is a language model, which translates nothing: "
                    + "'dtrain generate --run \(quoted(shown(checkpoint)))' goes on with texts")
        case .otherKind(let checkpoint, .encoderDecoder):
            self = .usage(
                "\(shown(checkpoint)) is no language model: "
                    + "'dtrain translate --run \(quoted(shown(checkpoint)))' translates lines")
        case .notFinite(let checkpoint):
            self = .data(
                """
                \(shown(checkpoint)) gives no finite numbers: its training went astray, take an earlier \
                checkpoint or train anew with a lower --learning-rate
                """)
        case .promptTooLong(let tokens, let positions):
            self = .usage(
                """
                \(option) has \(tokens) tokens where the model has \(positions) positions, shorten it
                """)
        }
    }
}

/// What a path leads to that can be read but once, as a person calls it.
package func passing(_ path: String) -> String {
    TextFile.isStandardInput(path) ? TextFile.standardInput : "a pipe (\(path))"
}

/// Does `body`; what it throws of a text names `option`, with which that was typed.
package func naming<Result>(_ option: String, _ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as InferenceError {
        throw Failure(error, option: option)
    }
}
