/// A look at what SentencePiece does not look at. Its library follows the offsets of character maps
/// wherever they lead. A damaged map so reads memory that is not its own.
///
/// Source: sentencepiece_model.proto; Yata, "Darts-clone: a clone of Darts (Double-ARray Trie System)".
struct CharacterMap {
    /// The fields of `ModelProto` that hold a `NormalizerSpec`, and the field of that with its map.
    private static let specifications: Set<UInt64> = [3, 5]
    private static let map: UInt64 = 2
    private static let normalizer: UInt64 = 3

    /// Returns the first byte (from 0) where a model is no sound message or a map leads outside
    /// itself. Nil means a sound model.
    static func fault(in model: [UInt8]) -> Int? {
        do throws(ProtocolFields.Fault) {
            var fields = ProtocolFields(model, 0..<model.count)
            while let field = try fields.next() {
                guard specifications.contains(field.number), let place = field.content else {
                    continue
                }
                var parts = ProtocolFields(model, place)
                while let part = try parts.next() {
                    guard part.number == map, let place = part.content, !place.isEmpty else {
                        continue
                    }
                    guard var found = CharacterMap(model[place]), found.isSound else {
                        return place.lowerBound
                    }
                }
            }
            return nil
        } catch {
            return error.at
        }
    }

    /// Whether a sound model has a character map by which it normalises what it encodes.
    static func isIn(_ model: [UInt8]) -> Bool {
        var fields = ProtocolFields(model, 0..<model.count)
        while let field = try? fields.next() {
            guard field.number == normalizer, let place = field.content else { continue }
            var parts = ProtocolFields(model, place)
            while let part = try? parts.next() {
                if part.number == map, part.content?.isEmpty == false { return true }
            }
        }
        return false
    }

    /// The nodes of a double array. Bits 0 to 7 and 31 are the label by which one comes here. Bit 8
    /// says whether a value lies at its base; bits 9 to 31 are the way to its base.
    private let units: [UInt32]
    /// The number of bytes of the texts that values lead to.
    private let textBytes: Int
    /// The most values on any way down from a base; -1 where nobody has looked.
    private var valuesBelow: [Int8]

    /// The library keeps so many values of one way, and reads more than it keeps.
    private static let valueLimit = 32
    /// SentencePiece's own maps have 60,000 units, their longest way 24 bytes.
    private static let unitLimit = 1 << 20
    private static let depthLimit = 256

    /// Reads a size in bytes (4, little-endian), a double array of that size and texts that end with
    /// NUL; nil if they do not fit.
    private init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count > 4, bytes.last == 0 else { return nil }
        func word(_ place: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
        }
        let size = Int(word(bytes.startIndex))
        guard size % 4 == 0, size > 0, size / 4 <= Self.unitLimit, size < bytes.count - 4 else {
            return nil
        }
        units = (1...size / 4).map { word(bytes.startIndex + 4 * $0) }
        textBytes = bytes.count - 4 - size
        valuesBelow = Array(repeating: -1, count: units.count)
    }

    private var isSound: Bool {
        mutating get { values(below: Self.way(units[0]), depth: 0) != nil }
    }

    private static func way(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 512) >> 6) }

    /// Returns the most values on a way down from `base`, at most 32; nil if
    /// one leads outside or in a circle.
    private mutating func values(below base: Int, depth: Int) -> Int? {
        guard base | 255 < units.count, depth < Self.depthLimit else { return nil }
        guard valuesBelow[base] < 0 else { return Int(valuesBelow[base]) }
        var most = 0
        for byte in 0...255 {
            let unit = units[base ^ byte]
            guard unit & 0x8000_00FF == UInt32(byte) else { continue }
            let next = base ^ byte ^ Self.way(unit)
            guard let below = values(below: next, depth: depth + 1) else { return nil }
            let hasValue = unit & 256 != 0
            if hasValue, units[next] & 0x7FFF_FFFF >= textBytes { return nil }
            most = max(most, below + (hasValue ? 1 : 0))
        }
        guard most <= Self.valueLimit else { return nil }
        valuesBelow[base] = Int8(most)
        return most
    }
}
