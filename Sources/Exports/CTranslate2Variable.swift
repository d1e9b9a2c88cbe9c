import Parameters

/// A variable of a CTranslate2 model: a scalar, or a tensor whose numbers come from the checkpoint.
struct CTranslate2Variable {
    /// The numbers of a tensor. Tensors of the same shape and numbers are written once.
    enum Numbers: Hashable {
        /// Stretches of the parameters, end to end.
        case parameters([Range<Int>])
        /// Numbers that the model knows without parameters, or parameters in another order.
        case computed([Float])
    }

    enum Value: Hashable {
        case flag(Bool)
        case int8(Int8)
        case int16(Int16)
        case int32(Int32)
        case float(Float)
        /// `isMatrix`: a weight that `int8` makes whole numbers of.
        case tensor(Numbers, shape: [Int], isMatrix: Bool)
    }

    let name: String
    let value: Value
}

extension CTranslate2Variable.Numbers {
    var count: Int {
        switch self {
        case .parameters(let ranges): ranges.reduce(0) { $0 + $1.count }
        case .computed(let numbers): numbers.count
        }
    }

    /// Hands the numbers to `body` in pieces of at most `chunk`. If `chunk` divides the stretches, all
    /// pieces have that length.
    func forEach(
        in parameters: ParameterVector, chunk: Int,
        _ body: (UnsafeBufferPointer<Float>) throws -> Void
    ) throws {
        switch self {
        case .parameters(let ranges):
            for range in ranges {
                for start in stride(from: range.lowerBound, to: range.upperBound, by: chunk) {
                    try parameters.withFloats(start..<min(start + chunk, range.upperBound), body)
                }
            }
        case .computed(let numbers):
            try numbers.withUnsafeBufferPointer { all in
                for start in stride(from: 0, to: all.count, by: chunk) {
                    try body(
                        UnsafeBufferPointer(rebasing: all[start..<min(start + chunk, all.count)]))
                }
            }
        }
    }
}
