import Foundation

/// The element types of the safetensors format that fill whole bytes.
package enum TensorType: String, Sendable, Codable {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case float8e5m2 = "F8_E5M2"
    case float8e4m3 = "F8_E4M3"
    case float8e8m0 = "F8_E8M0"
    case int16 = "I16"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case uint32 = "U32"
    case float32 = "F32"
    case int64 = "I64"
    case uint64 = "U64"
    case float64 = "F64"
    case complex64 = "C64"

    /// The number of bytes of one element.
    package var size: Int {
        switch self {
        case .bool, .uint8, .int8, .float8e5m2, .float8e4m3, .float8e8m0: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64, .complex64: 8
        }
    }
}

/// One tensor of a safetensors file; `byteRange` counts from the start of the data region.
package struct TensorEntry: Equatable, Sendable {
    /// The name of the tensor, unique in a file.
    package let name: String
    /// The type of the elements.
    package let dtype: TensorType
    /// The extents of the tensor, outermost first; empty for a scalar.
    package let shape: [Int]
    /// The bytes of the tensor, from the start of the data region.
    package let byteRange: Range<Int>

    /// Makes an entry of its parts, unchecked; `SafetensorsHeader` checks those of a file.
    package init(name: String, dtype: TensorType, shape: [Int], byteRange: Range<Int>) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.byteRange = byteRange
    }

    /// The number of elements.
    package var count: Int { byteRange.count / dtype.size }
}

/// The JSON header of a safetensors file, validated against the size of the data region.
///
/// Source: https://github.com/huggingface/safetensors, README, "Format".
package struct SafetensorsHeader {
    static let longest = 100_000_000

    /// The entries, sorted by offset, without gap or overlap from 0 to the end of the data region.
    package let tensors: [TensorEntry]
    /// The texts under `__metadata__`; empty where there are none.
    package let metadata: [String: String]

    /// Reads the JSON. Throws the fault of a header that does not fit `dataBytes`, or is none.
    package init(json: [UInt8], dataBytes: Int) throws(SafetensorsFaultError) {
        guard json.first == UInt8(ascii: "{"),
            let raw = try? JSONDecoder().decode(RawHeader.self, from: Data(json))
        else { throw SafetensorsFaultError(.headerNotJSON) }
        var tensors: [TensorEntry] = []
        for (name, entry) in raw.entries {
            tensors.append(try Self.tensor(name, entry))
        }
        // Empty tensors share their neighbour's offset; the end and the name settle the order.
        tensors.sort {
            ($0.byteRange.lowerBound, $0.byteRange.upperBound, $0.name)
                < ($1.byteRange.lowerBound, $1.byteRange.upperBound, $1.name)
        }
        var end = 0
        for tensor in tensors {
            guard tensor.byteRange.lowerBound == end else {
                throw SafetensorsFaultError(.gapOrOverlap(tensor: tensor.name))
            }
            end = tensor.byteRange.upperBound
            guard end <= dataBytes else {
                throw SafetensorsFaultError(.range(tensor: tensor.name))
            }
        }
        guard end == dataBytes else {
            throw SafetensorsFaultError(.trailingBytes(dataBytes - end))
        }
        self.tensors = tensors
        self.metadata = raw.metadata
    }

    private static func tensor(
        _ name: String, _ raw: RawEntry
    ) throws(SafetensorsFaultError) -> TensorEntry {
        guard let type = TensorType(rawValue: raw.dtype) else {
            throw SafetensorsFaultError(.unknownType(tensor: name, type: raw.dtype))
        }
        guard let bytes = byteCount(raw.shape, type) else {
            throw SafetensorsFaultError(.shape(tensor: name))
        }
        guard raw.offsets.count == 2, raw.offsets[0] >= 0, raw.offsets[1] >= raw.offsets[0] else {
            throw SafetensorsFaultError(.range(tensor: name))
        }
        guard raw.offsets[1] - raw.offsets[0] == bytes else {
            throw SafetensorsFaultError(.shape(tensor: name))
        }
        return TensorEntry(
            name: name, dtype: type, shape: raw.shape, byteRange: raw.offsets[0]..<raw.offsets[1])
    }

    /// Returns the bytes of a tensor, nil for a negative extent or one that overflows.
    static func byteCount(_ shape: [Int], _ type: TensorType) -> Int? {
        var bytes = type.size
        for extent in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else { return nil }
            bytes = product
        }
        return bytes
    }

    /// Returns the eight bytes of length and the JSON, padded with spaces to a multiple of eight.
    package static func encoded(
        _ tensors: [TensorEntry], metadata: [String: String]
    ) throws(SafetensorsFaultError) -> [UInt8] {
        var text = "{"
        if !metadata.isEmpty {
            text += "\"__metadata__\":{"
            text += metadata.sorted { $0.key < $1.key }
                .map { "\(quoted($0.key)):\(quoted($0.value))" }.joined(separator: ",")
            text += tensors.isEmpty ? "}" : "},"
        }
        text += tensors.map { tensor in
            let range = tensor.byteRange
            return "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.dtype.rawValue)\",\"shape\":"
                + "[\(tensor.shape.map(String.init).joined(separator: ","))],"
                + "\"data_offsets\":[\(range.lowerBound),\(range.upperBound)]}"
        }.joined(separator: ",")
        text += "}"
        var json = Array(text.utf8)
        json += Array(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
        guard json.count <= longest else {
            throw SafetensorsFaultError(.headerLength(UInt64(json.count)))
        }
        return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json
    }

    private static func quoted(_ text: String) -> String {
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
}

/// A fault of a header whose path only the caller knows.
package struct SafetensorsFaultError: Error {
    /// The fault of the header.
    package let fault: SafetensorsFault

    init(_ fault: SafetensorsFault) { self.fault = fault }
}

private struct RawEntry: Decodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
        case dtype, shape
        case offsets = "data_offsets"
    }
}

private struct RawHeader: Decodable {
    var entries: [(String, RawEntry)] = []
    var metadata: [String: String] = [:]

    struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        for key in container.allKeys {
            if key.stringValue == "__metadata__" {
                metadata = try container.decode([String: String].self, forKey: key)
            } else {
                entries.append(
                    (key.stringValue, try container.decode(RawEntry.self, forKey: key)))
            }
        }
    }
}
