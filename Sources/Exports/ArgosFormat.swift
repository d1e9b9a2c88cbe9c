import Foundation
import Model

/// A package of Argos Translate: a zip of a CTranslate2 model, its SentencePiece model and `metadata.json`.
///
/// Source: argosopentech/argos-translate, argostranslate/package.py, `IPackage`.
package struct ArgosFormat: ExportFormat {
    /// The name of the format.
    package static let name = "argos"

    /// A language by its ISO 639 code, and its name for people.
    package struct Language: Sendable {
        /// The code: `en`.
        package let code: String
        /// The name: `English`.
        package let name: String

        /// Reads `en` or `en:English`; nil unless the code has two to eight letters of a…z.
        package init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            code = String(parts[0])
            name = parts.count > 1 ? String(parts[1]) : code
            guard 2...8 ~= code.utf8.count, code.utf8.allSatisfy({ 0x61...0x7A ~= $0 }),
                !name.isEmpty, !name.contains(where: \.isNewline)
            else { return nil }
        }
    }

    /// The form of the weights.
    package let numbers: NumberType
    private let source, target: Language

    /// Makes the format with its choice of numbers, for a model from one language to another.
    package init(_ numbers: NumberType, from source: Language, to target: Language) {
        self.numbers = numbers
        self.source = source
        self.target = target
    }

    /// The name of the package's file.
    package var file: String { "\(folder).argosmodel" }

    private var folder: String { "translate-\(source.code)_\(target.code)-1_0" }

    /// The package, and the card once more beside it.
    ///
    /// Throws: `notExpressible`, `tensorTooLarge`.
    package func files(of model: ExportedModel, card: String) throws -> [ExportedFile] {
        guard model.architecture.kind == .encoderDecoder else {
            throw ExportError.notExpressible(format: Self.name, .languageModel)
        }
        guard model.tokenizer.marian == nil else {
            throw ExportError.notExpressible(format: Self.name, .twoTokenizers)
        }
        var files = [
            ExportedFile("README.md", text: card),
            try ExportedFile("metadata.json", json: Metadata(from: source, to: target)),
        ]
        files += try CTranslate2Format(numbers).engineFiles(of: model).map {
            ExportedFile("model/\($0.name)", write: $0.write)
        }
        files.append(ExportedFile("sentencepiece.model", model.tokenizer.model))
        let archive = ZipArchive(
            files: files.map { ExportedFile("\(folder)/\($0.name)", write: $0.write) })
        return [
            ExportedFile("README.md", text: card),
            ExportedFile(file) { try archive.write(to: $0) },
        ]
    }
}

/// `metadata.json`.
private struct Metadata: Encodable {
    let packageVersion = "1.0"
    /// The first version of Argos Translate that reads such packages.
    let argosVersion = "1.0"
    let fromCode, fromName, toCode, toName: String

    init(from source: ArgosFormat.Language, to target: ArgosFormat.Language) {
        (fromCode, fromName) = (source.code, source.name)
        (toCode, toName) = (target.code, target.name)
    }

    enum CodingKeys: String, CodingKey {
        case packageVersion = "package_version"
        case argosVersion = "argos_version"
        case fromCode = "from_code"
        case fromName = "from_name"
        case toCode = "to_code"
        case toName = "to_name"
    }
}
