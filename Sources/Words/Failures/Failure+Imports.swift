import Exports

extension Failure {
    package init(_ error: ImportError) {
        switch error {
        case .noFolder(let path):
            let what = missing(path) ?? "\(shown(path)) is no folder"
            self = .usage("\(what), give the folder of a Marian model")
        case .missing(let path, let file):
            self = .data(
                """
                \(shown(path)) has no \(file), give the folder of a Marian model as transformers' \
                save_pretrained writes it
                """)
        case .pickled(let path):
            self = .data(
                """
                \(shown(path)) has pytorch_model.bin, which only Python reads: convert it by \
                \(Self.conversion(path))
                """)
        case .tooLarge(let path, let bytes):
            self = .data(
                "\(shown(path)) has \(grouped(bytes)) bytes, too many to be what it is named")
        case .noObject(let path):
            self = .data("\(shown(path)) is no object of JSON, restore it")
        case .otherModel(let path, let kind):
            let what = kind.map { "of the kind '\($0.prefix(40).description.visibleLine)'" }
            self = .data(
                """
                \(shown(path)) is \(what ?? "of no kind that it names") and dtrain imports marian, give \
                a Marian model
                """)
        case .unreadable(let path, let key):
            self = .data("\(shown(path)) has no \(key) of the kind that is expected, restore it")
        case .inexpressible(let path, let key, let value):
            self = .data(
                """
                \(shown(path)) has \(key) \(value.visibleLine), which dtrain's model cannot have, give \
                another model
                """)
        case .apart(let path, let key, let other):
            self = .data(
                """
                \(shown(path)) has another \(key) than \(other) and dtrain's model has one for both, \
                give another model
                """)
        default: self.init(parts: error)
        }
    }

    private init(parts error: ImportError) {
        switch error {
        case .vocabulary(let path, let at):
            self = .data(
                "\(shown(path)) gives no number to each piece (byte \(at)), restore it")
        case .marks(let path):
            self = .data(
                """
                \(shown(path)) has no <unk> in vocab.json, or two of its marks are one, restore its files
                """)
        case .noTensor(let path, let tensor):
            self = .data("\(shown(path)) lacks the tensor \(tensor), restore it")
        case .shape(let path, let tensor, let expected, let found):
            self = .data(
                """
                \(shown(path)) has \(tensor.visibleLine) as \(Self.words(found)) and config.json means \
                \(Self.words(expected)), restore both
                """)
        case .type(let path, let tensor, let type):
            self = .data(
                "\(shown(path)) has \(tensor.visibleLine) as \(type), convert it to F32, F16 or BF16"
            )
        case .stranger(let path, let tensor):
            self = .data(
                """
                \(shown(path)) has \(tensor.visibleLine), for which dtrain's model has no place, give \
                another model
                """)
        case .differs(let path, let tensor, let other):
            let what = other.map { "\($0), which config.json says is the same" }
            self = .data(
                """
                \(shown(path)) has \(tensor.visibleLine) other than \
                \(what ?? "the sinusoids of its positions"), give another model
                """)
        case .notFinite(let path):
            self = .data(
                "\(shown(path)) gives no finite numbers, give another model")
        default: preconditionFailure("no sentence for \(error)")
        }
    }

    private static func words(_ shape: [Int]) -> String {
        shape.isEmpty ? "a number" : shape.map(String.init).joined(separator: " × ")
    }

    /// The line that writes the parameters again as safetensors.
    private static func conversion(_ path: String) -> String {
        let place = shown(path).contains("'") ? "DIR" : shown(path)
        return """
            python -c "from transformers import MarianMTModel as M; d = '\(place)'; \
            M.from_pretrained(d).save_pretrained(d)"
            """
    }
}
