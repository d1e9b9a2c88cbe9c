import ArgumentParser
import Checkpoint
import Inference
import Text
import Words

/// Which pairs a translator is tried on.
struct EvaluatedPairsOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Sentence pairs. (default: the held-out part of the run's own text)",
            valueName: "pairs.tsv"), completion: .file())
    var corpus: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Source sentences, one a line, with --target instead of --corpus.", valueName: "file"),
        completion: .file())
    var source: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Their translations, line by line.", valueName: "file"),
        completion: .file())
    var target: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Other right translations, line by line; may be given several times.",
            valueName: "file"), completion: .file())
    var reference: [String] = []

    /// Nil for the run's own. Throws usage failures.
    func pairs() throws(Failure) -> CorpusSource? {
        let pairs = try given()
        if pairs == nil, !reference.isEmpty {
            throw .usage(.needs("--reference", "--corpus or --source"))
        }
        let inputs = [corpus, source, target].compactMap { $0 } + reference
        guard inputs.count(where: TextFile.isStandardInput) < 2 else {
            throw .usage(
                source == nil
                    ? .standardInputTwice("--corpus", "--reference")
                    : .standardInputTwice("--source", "--target"))
        }
        return pairs
    }

    private func given() throws(Failure) -> CorpusSource? {
        switch (corpus, source, target) {
        case (nil, nil, nil): return nil
        case (let corpus?, nil, nil): return .pairs(corpus)
        case (nil, let source?, let target?): return .files(source: source, target: target)
        case (nil, nil, _): throw .usage(.needs("--target", "--source"))
        case (nil, _, nil): throw .usage(.needs("--source", "--target"))
        case (_, _?, _): throw .usage(.leaveOneOut("--corpus", "--source"))
        case (_, nil, _): throw .usage(.leaveOneOut("--corpus", "--target"))
        }
    }
}

/// What `--against` names.
enum Rival {
    /// A file of translations.
    case file(String)
    /// A run or a checkpoint, which translates the same sentences.
    case model(TrainedModel)

    /// Throws what opening a model does.
    init(_ path: String) throws {
        let path = try Failure.path("--against", path)
        guard PathContent(at: path) == .folder else {
            self = .file(path)
            return
        }
        let model = try TrainedModel(path)
        sayPassedOver(model.checkpoint)
        try model.require(.encoderDecoder)
        self = .model(model)
    }
}

/// Lines of a file that stand for those of an evaluation.
///
/// The file has a line for each line of the text, whatever became of it, or one for each pair that
/// counts, as `--write` writes them.
struct LinesBeside {
    let evaluation: ModelEvaluation
    let counts: LineCounts
    /// What messages call the text.
    let name: String

    /// Throws: `TextError`.
    func lines(of path: String) throws(TextError) -> [String] {
        let file = try TextFile(path: path)
        let lines = try file.linesOfAnyLength()
        if lines.count == evaluation.pairs { return lines }
        guard lines.count == counts.read else {
            throw .lineCounts(
                source: name, sourceLines: counts.read, target: file.name,
                targetLines: lines.count)
        }
        return evaluation.evaluated.map { lines[$0.sourcePlace.line - 1] }
    }
}
