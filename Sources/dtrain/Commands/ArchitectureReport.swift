import Model
import Settings

/// An architecture as an object of JSON: a key for each setting of the model, with `_` for `-`.
///
/// Beside the settings stand `kind`, which is `--architecture` by another name, and what settings say
/// only where it differs.
struct ArchitectureReport: Encodable {
    private let architecture: Architecture

    init(_ architecture: Architecture) { self.architecture = architecture }

    /// What a setting has been given or stands for.
    enum Value: Encodable, Equatable {
        case whole(Int)
        case number(Double)
        case truth(Bool)
        case text(String)

        init(_ text: String, _ kind: ValueKind) {
            switch kind {
            case .whole: self = Int(text).map(Value.whole) ?? .text(text)
            case .decimal: self = Double(text).map(Value.number) ?? .text(text)
            default: self = Bool(text).map(Value.truth) ?? .text(text)
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .whole(let number): try container.encode(number)
            case .number(let number): try container.encode(number)
            case .truth(let truth): try container.encode(truth)
            case .text(let text): try container.encode(text)
            }
        }
    }

    var values: [String: Value] {
        var configuration = RunConfiguration.standard
        configuration.architecture = architecture
        var values: [String: Value] = [:]
        // What stands for other settings is said by those.
        for setting in Setting.of(.model) where setting.row.replaces.isEmpty {
            guard let text = setting.row.text(configuration) else { continue }
            values[setting.rawValue.replacing("-", with: "_")] = Value(text, setting.row.kind)
        }
        values["kind"] = .text(architecture.kind.rawValue)
        values["encoder_layers"] = .whole(architecture.encoderLayers)
        values["decoder_layers"] = .whole(architecture.decoderLayers)
        values["attention_dropout"] = Value(
            "\(architecture.attentionDropout)", Setting.attentionDropout.row.kind)
        values["vocabulary"] = .whole(architecture.vocabulary)
        return values
    }

    func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }
}
