import Exports

extension Failure {
    package init(_ error: ExportError) {
        switch error {
        case .notExpressible(let format, let obstacle):
            self = .data(
                """
                \(format) has no way to say \(Self.words(obstacle)), so this model cannot be exported to \
                it: --to safetensors takes every model
                """)
        case .lacks(let program, let setting, let value):
            let way =
                program == TransformersKind.marian.rawValue
                ? "train with --compatible-with marian"
                : "see dtrain's page Exports for what has"
            self = .data(
                "transformers' \(program) has no \(typed(setting, value)), \(way)")
        case .tokenizer(let format):
            self = .data(
                """
                \(format) has no tokenizer of words or characters: train with unigram pieces or byte \
                pairs, --to safetensors takes every model
                """)
        case .tensorTooLarge(let format, let tensor, let bytes):
            self = .data(
                """
                \(format) counts a tensor's bytes up to 4,294,967,295 and \(tensor) has \
                \(grouped(bytes)): --type bfloat16 halves them, --to safetensors takes every model
                """)
        case .packageTooLarge(let bytes):
            self = .data(
                """
                a package has at most 4,294,967,295 bytes and this one would have \(grouped(bytes)) or more: \
                --type int8 makes it smaller, --to ctranslate2 writes a folder
                """)
        case .otherScores(let path, let digest, let model):
            self = .data(
                """
                \(shown(path)) has the scores of the model with digest \(digest.prefix(12).description.visibleLine)… \
                and this one's is \(model.prefix(12))…, evaluate this checkpoint
                """)
        case .noScores(let path):
            self = .data(
                "\(shown(path)) is not what 'dtrain evaluate --json' prints, give a file with that line"
            )
        }
    }

    private static func words(_ obstacle: ExportError.Obstacle) -> String {
        switch obstacle {
        case .noResidual:
            "that a sub-layer's input is not added to its output (--residual false)"
        case .batchNorm:
            "a norm over all tokens with running means (--normalisation batch)"
        case .languageModel: "a language model"
        case .twoTokenizers: "that sources and targets have a tokenizer each"
        }
    }
}
