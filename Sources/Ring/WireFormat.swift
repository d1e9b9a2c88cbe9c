/// The format that numbers are rounded to between two shards, and in which they travel in frames.
package enum WireFormat: String, Sendable, Codable, CaseIterable {
    case f32
    /// The upper half of a float32.
    case bf16
    /// Blocks of 64 whole numbers in −127…127 times a power of two.
    case int8

    /// Elements that share a power of two; chunks are cut between blocks.
    package static let block = 64

    /// Number of elements of which bounds of chunks and segments are multiples.
    package var alignment: Int { self == .int8 ? Self.block : 1 }

    /// Bytes of `count` elements in a frame.
    package func byteCount(_ count: Int) -> Int {
        switch self {
        case .f32: 4 * count
        case .bf16: 2 * count
        case .int8: count + (count + Self.block - 1) / Self.block
        }
    }

    /// The format's number in a frame's header.
    var code: UInt8 {
        switch self {
        case .f32: 0
        case .bf16: 1
        case .int8: 2
        }
    }

    init?(code: UInt8) {
        switch code {
        case 0: self = .f32
        case 1: self = .bf16
        case 2: self = .int8
        default: return nil
        }
    }

    // MARK: Bytes

    /// Writes numbers that have been rounded to this format; nothing is lost.
    ///
    /// `floats` holds float32, `bytes` has `byteCount` bytes; the first element begins a block.
    package func encode(
        _ floats: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer
    ) {
        let count = floats.count / 4
        precondition(bytes.count == byteCount(count), "\(bytes.count) bytes for \(count) elements")
        switch self {
        case .f32: bytes.copyMemory(from: floats)
        case .bf16:
            for index in 0..<count {
                let bits = floats.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                bytes.storeBytes(
                    of: UInt16(truncatingIfNeeded: bits >> 16).littleEndian,
                    toByteOffset: 2 * index, as: UInt16.self)
            }
        case .int8: encodeBlocks(floats, count, bytes)
        }
    }

    /// Reads what `encode` wrote. Any bytes at all give some numbers.
    package func decode(
        _ bytes: UnsafeRawBufferPointer, into floats: UnsafeMutableRawBufferPointer
    ) {
        let count = floats.count / 4
        precondition(bytes.count == byteCount(count), "\(bytes.count) bytes for \(count) elements")
        switch self {
        case .f32: floats.copyMemory(from: bytes)
        case .bf16:
            for index in 0..<count {
                let half = UInt16(
                    littleEndian: bytes.loadUnaligned(
                        fromByteOffset: 2 * index, as: UInt16.self))
                floats.storeBytes(
                    of: UInt32(half) << 16, toByteOffset: 4 * index, as: UInt32.self)
            }
        case .int8: decodeBlocks(bytes, count, floats)
        }
    }

    /// A block is its exponent (biased like a float32's; 255: not finite), then its numbers.
    private func encodeBlocks(
        _ floats: UnsafeRawBufferPointer, _ count: Int, _ bytes: UnsafeMutableRawBufferPointer
    ) {
        var place = 0
        for start in stride(from: 0, to: count, by: Self.block) {
            let end = min(start + Self.block, count)
            var largest: UInt32 = 0
            for index in start..<end {
                let bits = floats.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                largest = max(largest, bits & 0x7FFF_FFFF)
            }
            let exponent = BlockScale.exponent(largest: largest)
            bytes[place] = UInt8(exponent)
            place += 1
            let inverse = exponent == 255 ? 0 : BlockScale.inverse(exponent)
            for index in start..<end {
                let value = floats.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
                let whole = exponent == 255 ? 0 : Int32(value * inverse)
                bytes[place] = UInt8(bitPattern: Int8(clamping: whole))
                place += 1
            }
        }
    }

    private func decodeBlocks(
        _ bytes: UnsafeRawBufferPointer, _ count: Int, _ floats: UnsafeMutableRawBufferPointer
    ) {
        var place = 0
        for start in stride(from: 0, to: count, by: Self.block) {
            let exponent = Int(bytes[place])
            let scale = exponent == 255 ? .nan : BlockScale.scale(exponent)
            place += 1
            for index in start..<min(start + Self.block, count) {
                let value = Float(Int8(bitPattern: bytes[place])) * scale
                floats.storeBytes(of: value, toByteOffset: 4 * index, as: Float.self)
                place += 1
            }
        }
    }
}

/// The power of two that a block of int8 is multiplied by.
enum BlockScale {
    /// Biased exponent of the smallest power of two with largest ≤ 127 · 2ᵉ; 255 if `largest` (the
    /// bits of a magnitude) is not finite.
    static func exponent(largest bits: UInt32) -> Int {
        guard bits < 0x7F80_0000 else { return 255 }
        let ratio = (Float(bitPattern: bits) / 127).bitPattern
        return max(1, Int(ratio >> 23) + (ratio & 0x7F_FFFF == 0 ? 0 : 1))
    }

    static func scale(_ exponent: Int) -> Float { Float(bitPattern: UInt32(exponent) << 23) }
    static func inverse(_ exponent: Int) -> Float {
        Float(bitPattern: UInt32(max(1, 254 - exponent)) << 23)
    }
}
