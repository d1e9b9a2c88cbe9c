extension ParameterVector {
    /// Sum of squares of one block's elements before `trainable`; not finite if any of the block is not.
    package func squaredSum(block: Int, trainable: Int) -> Double {
        let range = elements(of: block..<block + 1)
        guard range.upperBound > trainable else { return squaredSum(range) }
        return squaredSum(range.clamped(to: 0..<trainable))
            + 0 * squaredSum(range.clamped(to: trainable..<count))
    }

    /// Returns the sum of squares, always added in the same order.
    ///
    /// Runs of 512 elements are summed in float32 (16 terms a lane), the runs in
    /// Double. So the relative error stays near 1e-7. The sum is not finite if any
    /// element is not, or beyond 1.8e19.
    package func squaredSum(_ range: Range<Int>) -> Double {
        withFloats(range) { floats in
            guard let base = floats.baseAddress else { return 0 }
            let whole = floats.count / 8
            var total = SIMD8<Double>()
            var index = 0
            while index < whole {
                let end = min(index + 64, whole)
                total += SIMD8<Double>(squaredRun(base + 8 * index, vectors: end - index))
                index = end
            }
            var sum = total.sum()
            for index in 8 * whole..<floats.count {
                sum += Double(base[index]) * Double(base[index])
            }
            return sum
        }
    }
}

/// Sums of squares of `vectors` times eight floats, lane by lane.
@inline(__always)
private func squaredRun(_ base: UnsafePointer<Float>, vectors: Int) -> SIMD8<Float> {
    let source = UnsafeRawPointer(base)
    var sums = (SIMD8<Float>(), SIMD8<Float>(), SIMD8<Float>(), SIMD8<Float>())
    var index = 0
    // Four sums hide the latency of the fused multiply-add.
    while index + 4 <= vectors {
        let place = source + 32 * index
        let a = place.loadUnaligned(as: SIMD8<Float>.self)
        let b = place.loadUnaligned(fromByteOffset: 32, as: SIMD8<Float>.self)
        let c = place.loadUnaligned(fromByteOffset: 64, as: SIMD8<Float>.self)
        let d = place.loadUnaligned(fromByteOffset: 96, as: SIMD8<Float>.self)
        sums.0 = sums.0.addingProduct(a, a)
        sums.1 = sums.1.addingProduct(b, b)
        sums.2 = sums.2.addingProduct(c, c)
        sums.3 = sums.3.addingProduct(d, d)
        index += 4
    }
    while index < vectors {
        let a = (source + 32 * index).loadUnaligned(as: SIMD8<Float>.self)
        sums.0 = sums.0.addingProduct(a, a)
        index += 1
    }
    return (sums.0 + sums.1) + (sums.2 + sums.3)
}
