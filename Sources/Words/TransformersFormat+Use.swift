import Exports
import Model

extension TransformersFormat: UsableFormat {
    package func use(of model: ExportedModel) -> String {
        let positions = model.architecture.positions
        let head = """
            ```python
            from transformers import AutoModelFor\(isText(model) ? "CausalLM" : "Seq2SeqLM"), AutoTokenizer
            pieces = AutoTokenizer.from_pretrained(".")     # this folder
            """
        guard isText(model) else {
            return """
                \(head)
                model = AutoModelForSeq2SeqLM.from_pretrained(".")
                source = pieces(["Where are you?"], return_tensors="pt", padding=True)
                texts = pieces.batch_decode(model.generate(**source), skip_special_tokens=True)
                ```

                A source has at most \(positions) tokens. Text is expected in NFC, as dtrain reads it.
                """
        }
        return """
            \(head)
            model = AutoModelForCausalLM.from_pretrained(".")
            prompt = pieces("The principal", return_tensors="pt")
            text = pieces.decode(model.generate(**prompt)[0], skip_special_tokens=True)
            ```

            A text has at most \(positions) tokens, its begin mark included.
            """
    }

    private func isText(_ model: ExportedModel) -> Bool {
        model.architecture.kind == .languageModel
    }
}
