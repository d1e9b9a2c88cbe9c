import Exports
import Model

/// A format of which the card can say how its folder is used.
package protocol UsableFormat: ExportFormat {
    /// How the folder is used, in Markdown.
    func use(of model: ExportedModel) -> String
}

extension SafetensorsFormat: UsableFormat {
    package func use(of model: ExportedModel) -> String {
        """
        ```python
        from safetensors.torch import load_file
        tensors = load_file("model.safetensors")        # named as in torch.nn.Transformer
        ```

        `config.json` has the architecture and the ids of the marks. Input embeddings are multiplied by √d_model.
        """
    }
}

extension ArgosFormat: UsableFormat {
    package func use(of model: ExportedModel) -> String {
        """
        ```python
        import argostranslate.package
        argostranslate.package.install_from_path("\(file)")
        ```

        The package has no model of its own that finds the ends of sentences (Stanza), so Argos Translate finds them by what it
        brings along. It searches with a beam of 4 and a length penalty: its texts are not dtrain's greedy ones.
        """
    }
}

extension CTranslate2Format: UsableFormat {
    package func use(of model: ExportedModel) -> String {
        let positions = model.architecture.positions
        let isMarian = model.tokenizer.marian != nil
        let head = """
            ```python
            import ctranslate2, sentencepiece, unicodedata
            pieces = sentencepiece.SentencePieceProcessor(model_file="\(isMarian ? "source.spm" : Self.tokenizerFile)")
            def words(text):                                # as dtrain reads a text
                return pieces.encode(" ".join(unicodedata.normalize("NFC", text).split()), out_type=str)
            """
        guard model.architecture.kind == .languageModel else {
            return """
                \(head)
                translator = ctranslate2.Translator(".")        # in this folder; the end mark is added by itself
                source = words("Where are you?")                # at most \(positions - 1) pieces
                limit = min(2 * len(source) + 12, \(positions - 1))
                found = translator.translate_batch(
                    [source], beam_size=1, max_decoding_length=limit, min_decoding_length=0)
                \(isMarian ? "pieces.load(\"target.spm\")\n" : "")\
                translation = pieces.decode(found[0].hypotheses[0])
                ```
                """
        }
        return """
            \(head)
            generator = ctranslate2.Generator(".")          # in this folder
            start = ["<s>"] + words("The principal")
            found = generator.generate_batch([start], max_length=\(min(100, positions)), sampling_topk=10)
            text = pieces.decode(found[0].sequences[0])     # at most \(positions) tokens in all
            ```
            """
    }
}
