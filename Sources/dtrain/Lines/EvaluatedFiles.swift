import Checkpoint
import Inference

/// The files of `evaluate --write`: what other judges, such as COMET, are given.
enum EvaluatedFiles {
    /// Writes `source.txt`, `output.txt`, `reference.txt` (`reference-2.txt`, …), each whole, and at
    /// last `evaluation.json`: where it is, the others belong together. Throws: `io`.
    static func write(
        _ evaluation: ModelEvaluation, references: [[String]], report: EvaluationReport,
        to folder: String
    ) throws {
        try makeFolders(folder)
        let summary = folder + "/evaluation.json"
        try WholeFile.remove(summary)
        try write(evaluation.evaluated.map(\.source), to: folder + "/source.txt")
        try write(evaluation.outputs, to: folder + "/output.txt")
        for (index, lines) in references.enumerated() {
            let number = index == 0 ? "" : "-\(index + 1)"
            try write(lines, to: "\(folder)/reference\(number).txt")
        }
        let json = try JSONForm.encoder(pretty: true).encode(report)
        try WholeFile.write(String(decoding: json, as: UTF8.self) + "\n", to: summary)
    }

    private static func write(_ lines: [String], to path: String) throws(CheckpointError) {
        try WholeFile.write(lines.map { $0.onOneLine + "\n" }.joined(), to: path)
    }
}

extension String {
    /// With a blank for each end of a line: other programs take a carriage return for one, too.
    fileprivate var onOneLine: String {
        guard utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) else { return self }
        return String(
            String.UnicodeScalarView(
                unicodeScalars.map { $0 == "\n" || $0 == "\r" ? " " : $0 }))
    }
}
