import Checkpoint
import Model
import Settings
import Text

/// The form of Hugging Face's transformers.
///
/// A translator becomes a `MarianMTModel`. A language model becomes a `GPT2LMHeadModel`, or with rotary
/// positions a `LlamaForCausalLM`. `AutoTokenizer` and `AutoModelFor…` read the folder.
package struct TransformersFormat: ExportFormat {
    /// The name of the format.
    package static let name = "transformers"

    /// Makes the format, which has no choices.
    package init() {}

    /// Tensors, configuration, tokenizer, defaults of `generate` and the card.
    ///
    /// Throws: `ExportError`, `TextError`.
    package func files(of model: ExportedModel, card: String) throws -> [ExportedFile] {
        let kind = try TransformersKind(of: model.architecture)
        let files =
            switch kind {
            case .marian: try MarianFolder(model).files
            case .gpt2, .llama: try CausalFolder(model, kind).files
            }
        return files + [ExportedFile("README.md", text: card)]
    }
}

/// The class of transformers that computes what a model computes.
package enum TransformersKind: String, Sendable {
    case marian = "MarianMTModel"
    case gpt2 = "GPT2LMHeadModel"
    case llama = "LlamaForCausalLM"

    /// Throws: `ExportError.lacks` for the first choice that the class does not have.
    package init(of architecture: Architecture) throws(ExportError) {
        let isText = architecture.kind == .languageModel
        let kind: Self =
            !isText ? .marian : architecture.positionEncoding == .rotary ? .llama : .gpt2
        if let obstacle = kind.obstacle(in: architecture) {
            var configuration = RunConfiguration.standard
            configuration.architecture = architecture
            throw .lacks(
                program: kind.rawValue, obstacle, value: configuration.text(obstacle) ?? "")
        }
        self = kind
    }

    /// The first setting whose value the class does not have.
    private func obstacle(in architecture: Architecture) -> Setting? {
        guard self != .marian else { return architecture.marianObstacle.map(Setting.init) }
        let isLlama = self == .llama
        let obstacles: [(Setting, Bool)] = [
            (.norm, architecture.norm != .pre), (.residual, !architecture.residual),
            (.outputBias, architecture.outputBias),
            (.positionEncoding, architecture.positionEncoding == .relative),
            (.normalisation, architecture.normalisation != (isLlama ? .rms : .layer)),
            (.activation, (architecture.activation == .swiglu) != isLlama),
        ]
        return obstacles.first { $0.1 }?.0
    }
}

extension Setting {
    init(_ obstacle: MarianObstacle) {
        self =
            switch obstacle {
            case .kind: .architecture
            case .sharedQueryKey: .shareQueryKey
            case .activation: .activation
            case .norm: .norm
            case .finalNorm: .finalNorm
            case .normalisation: .normalisation
            case .residual: .residual
            case .positionEncoding: .positionEncoding
            }
    }
}

extension Architecture.Activation {
    /// The name that transformers knows the function by; that of a gate's function.
    var transformersName: String {
        switch self {
        case .relu: "relu"
        case .gelu: "gelu"
        case .silu, .swiglu: "silu"
        case .sigmoid: "sigmoid"
        case .tanh: "tanh"
        }
    }

    /// The function that transformers knows by a name; nil for one that dtrain lacks.
    init?(transformersName name: String) {
        switch name {
        case "relu": self = .relu
        case "gelu": self = .gelu
        case "silu", "swish": self = .silu
        case "sigmoid": self = .sigmoid
        case "tanh": self = .tanh
        default: return nil
        }
    }
}

extension ExportedFile {
    /// `model.safetensors` of these tensors, each computed when it is written.
    init(_ tensors: [ForeignTensor], of model: ExportedModel) throws {
        var end = 0
        let entries = tensors.map { tensor in
            let start = end
            end += tensor.count * MemoryLayout<Float>.stride
            return TensorEntry(
                name: tensor.name, dtype: .float32, shape: tensor.shape, byteRange: start..<end)
        }
        let header = try SafetensorsHeader.encoded(entries, metadata: ["format": "pt"])
        let parameters = model.parameters
        self.init("model.safetensors") { sink in
            try sink.append(header)
            for tensor in tensors {
                try tensor.values(parameters).withUnsafeBytes { try sink.append($0) }
            }
        }
    }
}

/// JSON that is written by hand: pieces are told apart by their bytes, which a dictionary of
/// texts does not do.
enum JSONText {
    /// A text between quotes.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// The object that gives each piece its place, in order.
    static func numbers(of pieces: [String], indent: String) -> String {
        let lines = pieces.enumerated().map { "\(indent)  \(quoted($1)): \($0)" }
        return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    }
}
