/// The form of a model's weights in an export.
package enum NumberType: String, Sendable, CaseIterable {
    /// As dtrain has them.
    case float32
    /// The upper half of a float32, rounded to the nearest, ties to even.
    case bfloat16
    /// Whole numbers from -127 to 127 and a scale a row; other tensors stay float32.
    case int8

    /// The number of bytes of one weight.
    var size: Int {
        switch self {
        case .float32: 4
        case .bfloat16: 2
        case .int8: 1
        }
    }
}

extension Float {
    /// The upper 16 bits of the nearest bfloat16, ties to even. The number is finite.
    var bfloat16: UInt16 {
        let bits = bitPattern
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }
}

/// The factor by which a row becomes whole numbers: 127 / max|x|, and 1 for a row of zeros.
func scale(of row: some Sequence<Float>) -> Float {
    let largest = row.reduce(0) { max($0, $1.magnitude) }
    // Below that the factor itself would be infinite.
    return largest == 0 ? 1 : 127 / max(largest, 127 / Float.greatestFiniteMagnitude)
}
