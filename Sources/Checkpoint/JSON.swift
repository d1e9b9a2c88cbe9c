import Foundation

/// Any JSON value, for parts that this module carries without knowing them.
package enum JSON: Codable, Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// Reads any value; a whole number that fits an Int is an integer.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    /// Writes the value as plain JSON.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let values): try container.encode(values)
        }
    }
}

/// The form in which this program writes JSON for others, and reads its own again.
package enum JSONForm {
    /// Keys sorted, so that equal values have equal bytes; infinities and NaN, which JSON lacks, as
    /// strings.
    ///
    /// - Parameter pretty: over several lines, for people.
    package static func encoder(pretty: Bool = false) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty
            ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
            : [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }

    /// Reads what `encoder` has written.
    package static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }
}

/// Returns the JSON of a value, keys sorted so that equal values have equal bytes. Infinities and
/// NaN, which JSON lacks, become strings. Throws: `notEncodable`.
func encoded(
    _ value: some Encodable, pretty: Bool = false, for path: String
) throws(CheckpointError) -> [UInt8] {
    do {
        return [UInt8](try JSONForm.encoder(pretty: pretty).encode(value))
    } catch {
        throw .notEncodable(path: path)
    }
}

/// Returns the value that JSON describes, nil when it describes none.
func decoded<Value: Decodable>(_ type: Value.Type, _ bytes: some Sequence<UInt8>) -> Value? {
    try? JSONForm.decoder().decode(type, from: Data(bytes))
}
