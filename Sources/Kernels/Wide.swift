/// Eight floats: one AVX2 register on x86-64, two NEON registers on arm64.
package typealias Wide = SIMD8<Float>

extension UnsafeMutablePointer<Float> {
    /// The eight floats from `index` on, at any alignment.
    @inline(__always) func wide(_ index: Int) -> Wide {
        UnsafeRawPointer(self + index).loadUnaligned(as: Wide.self)
    }

    @inline(__always) func store(_ value: Wide, _ index: Int) {
        UnsafeMutableRawPointer(self + index).storeBytes(of: value, as: Wide.self)
    }

    /// The `count` (fewer than eight) floats from `index` on, then `rest`.
    @inline(__always) func part(_ index: Int, _ count: Int, rest: Float = 0) -> Wide {
        var value = Wide(repeating: rest)
        for lane in 0..<count { value[lane] = self[index + lane] }
        return value
    }

    @inline(__always) func store(_ value: Wide, _ index: Int, part count: Int) {
        for lane in 0..<count { self[index + lane] = value[lane] }
    }
}

extension Wide {
    /// The first `count` lanes, `rest` in the others.
    @inline(__always) func first(_ count: Int, rest: Float) -> Wide {
        let lane = Wide(0, 1, 2, 3, 4, 5, 6, 7)
        return Wide(repeating: rest).replacing(with: self, where: lane .< Float(count))
    }

    /// The larger of each pair; the second where one is not a number.
    @inline(__always) func larger(_ other: Wide) -> Wide {
        other.replacing(with: self, where: self .> other)
    }

    /// Sum of the lanes in a fixed order.
    @inline(__always) var total: Float {
        let four = lowHalf + highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }

    @inline(__always) var maximum: Float {
        let four = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
        let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
        return two.x > two.y ? two.x : two.y
    }
}

/// Sum of `count` floats, eight partial sums at a time.
@inline(__always) func total(_ count: Int, _ term: (_ index: Int, _ part: Int?) -> Wide) -> Float {
    var sum = Wide.zero
    var index = 0
    while index + 8 <= count {
        sum += term(index, nil)
        index += 8
    }
    if index < count { sum += term(index, count - index) }
    return sum.total
}

/// Calls `whole` for each eight elements of `count`, then `part` for those left over.
@inline(__always) func sweep(
    _ count: Int, whole: (_ index: Int) -> Void, part: (_ index: Int, _ count: Int) -> Void
) {
    var index = 0
    while index + 8 <= count {
        whole(index)
        index += 8
    }
    if index < count { part(index, count - index) }
}
