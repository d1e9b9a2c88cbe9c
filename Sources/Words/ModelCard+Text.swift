import Exports
import Model

extension ModelCard {
    /// The card as Markdown. It depends on the checkpoint, the format and the scores alone.
    ///
    /// - Parameter use: how the folder is used, in Markdown.
    package func text(use: String) -> String {
        """
        ---
        # Yours to fill in before you give the model away: the licence, the languages.
        license:
        language:
        pipeline_tag: \(architecture.kind == .languageModel ? "text-generation" : "translation")
        tags:
        - dtrain
        ---

        # A Transformer trained with dtrain

        | | |
        |---|---|
        | kind | \(kind) |
        | parameters | \(grouped(parameters)) |
        | vocabulary | \(grouped(pieces)) pieces of SentencePiece, source and target alike |
        | longest sequence | \(grouped(architecture.positions)) tokens, marks included |
        | format of this folder | `\(format)`, weights as \(numbers) |
        | trained for | \(grouped(step)) steps, epoch \(grouped(epoch)) |
        | digest | `\(digest)` |
        | written by | \(software.visibleLine), arithmetic \(arithmetic) |

        The digest is the SHA-256 over the parameters as little-endian float32, in the order of the checkpoint. It is the same for
        any number of workers, and `dtrain inspect` prints it.

        ## Use

        \(use)

        ## Data

        \(data)

        ## Configuration

        \(table(["setting", "value"], settings.map { ["`\($0.name)`", "`\($0.value)`"] }))

        ## Scores

        \(measured)

        ## Verify

        - `sha256sum -c SHA256SUMS` in this folder: no byte has changed since the export.
        - `dtrain export RUN --to \(format)…` from the checkpoint with the digest above writes the same bytes again.
        - `dtrain verify RUN` computes the run's steps again and compares every bit. With the same data and configuration,
          `dtrain train` ends with the same digest.

        ## Licence

        Not stated by dtrain: it does not know what the data allows. Whoever publishes the model fills in the licence at the
        head of this file, and what must be said of the data.

        """
    }

    private var kind: String {
        let a = architecture
        let layers =
            a.kind == .languageModel
            ? "language model, \(a.decoderLayers) layers"
            : "encoder-decoder, \(a.encoderLayers) + \(a.decoderLayers) layers"
        let norm =
            a.norm == .none ? "no norms" : "\(a.norm.rawValue) \(a.normalisation.rawValue) norm"
        return
            "\(layers), width \(grouped(a.dModel)), inner width \(grouped(a.dFF)), \(a.heads) heads, "
            + "\(norm), \(a.activation.rawValue), \(a.positionEncoding.rawValue) positions"
    }

    private var data: String {
        guard !sources.isEmpty else {
            guard step > 0 else {
                return "The model was imported and has learnt from no text here."
            }
            return "The checkpoint was written by a version that kept no fingerprint of its text."
        }
        let unit = architecture.kind == .languageModel ? "passages" : "pairs"
        let rows = sources.enumerated().map { index, source in
            [
                index == 0 ? "trained on" : "validated on",
                source.files.map { $0.visibleLine.replacing("|", with: "\\|") }
                    .joined(separator: ", "),
                grouped(source.samples), "`\(source.fingerprint)`",
            ]
        }
        return """
            \(table(["", "files", unit, "fingerprint"], rows))

            A fingerprint is the SHA-256 over the block hashes that the run's `text.json` holds for the text, one side a line. They
            are taken of what a tokenizer sees, so line ends and white space do not matter.
            """
    }

    private var measured: String {
        guard let scores else {
            return """
                None were given. `dtrain evaluate --run RUN --corpus test.tsv --json > scores.json` measures them, and
                `dtrain export RUN --scores scores.json …` writes them here.
                """
        }
        var rows = (scores.scores ?? []).map {
            [$0.name.visibleLine, fixed($0.score, 2), "`\($0.signature.visibleLine)`"]
        }
        rows.append(["loss", fixed(scores.loss, 4), "nats a target token, unsmoothed"])
        rows.append(["perplexity", fixed(scores.perplexity, 3), ""])
        let pairs = scores.pairs.map { "On \(grouped($0)) pairs. " } ?? ""
        return """
            \(pairs)Measured by dtrain before the export; \
            signatures are sacreBLEU's.

            \(table(["metric", "score", "signature"], rows))
            """
    }

    private func table(_ head: [String], _ rows: [[String]]) -> String {
        ([head, head.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
            .joined(separator: "\n")
    }
}
