import Checkpoint
import Inference
import Words

/// The file of `evaluate --report`.
struct ReportFile {
    private enum Form { case html, markdown }

    private let path: String
    private let form: Form

    /// Throws a usage failure unless the name's ending says which form is meant, and the folder is there.
    init(_ path: String) throws(Failure) {
        let path = try Failure.path("--report", path)
        let ending = path.split(separator: ".").last?.lowercased()
        switch ending {
        case "html", "htm": form = .html
        case "md", "markdown": form = .markdown
        default:
            throw .usage(.takes("--report", .report, not: path))
        }
        self.path = path
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        // Before the work, not after it.
        if let missing = missing(folder.isEmpty ? "/" : folder) {
            throw .io("--report cannot be written: \(missing), make the folder first")
        }
    }

    /// Throws: `CheckpointError`, and what reading attention does.
    func write(_ outcome: EvaluationOutcome, _ lines: [EvaluatedLine], worst: Int?) throws {
        let attention = try Report.worthALook(lines).map {
            Report.Attention(
                source: $0.source, view: try outcome.model.attention($0.source))
        }
        let report = outcome.report(lines, worst: worst ?? Report.usualWorst, attention)
        try WholeFile.write(form == .html ? report.html : report.markdown, to: path)
    }
}

extension EvaluationOutcome {
    fileprivate func report(
        _ lines: [EvaluatedLine], worst: Int, _ attention: [Report.Attention]
    ) -> Report {
        let checkpoint = model.checkpoint.folder
        var remarks = notes
        if counts.dropped > 0 { remarks.append("left out: \(sentence(of: counts))") }
        if tooLong.count > 0 {
            remarks.append("left out: \(sentence(of: tooLong, positions: model.positions))")
        }
        remarks += unknown(evaluation.coverage, in: "the text").map(\.sentence)
        if let bleu = measurements.first(where: { $0.score.details != nil })?.score.details {
            let remark = bleu.remark(lines: evaluation.pairs)
            if !remark.isEmpty { remarks.append("BLEU:\(remark)") }
        }
        return Report(
            facts: [
                ("model", checkpoint.path), ("step", grouped(checkpoint.step)),
                ("digest", checkpoint.digest), ("text", name),
                ("search", beam == 1 ? "greedy" : "beam of \(beam)"),
            ] + (rival.isEmpty ? [] : [("against", rival)]),
            name: name, loss: evaluation.loss, perplexity: evaluation.perplexity,
            measurements: measurements, rival: rival, notes: remarks, lines: lines, worst: worst,
            script: script, attention: attention)
    }
}
