/// Sums in numpy's order, so that means have the bits of `numpy.mean`.
///
/// Source: numpy 2, _core/src/umath/loops_utils.h.src, pairwise_sum.
enum PairwiseSum {
    static func mean<Number: BinaryFloatingPoint>(_ values: [Number]) -> Number {
        sum(values[...]) / Number(values.count)
    }

    private static func sum<Number: BinaryFloatingPoint>(_ values: ArraySlice<Number>) -> Number {
        if values.count < 8 { return values.reduce(-0.0, +) }
        if values.count > 128 {
            var half = values.count / 2
            half -= half % 8
            return sum(values.prefix(half)) + sum(values.dropFirst(half))
        }
        let start = values.startIndex
        var sums = Array(values.prefix(8))
        let whole = values.count - values.count % 8
        for offset in stride(from: 8, to: whole, by: 8) {
            for lane in 0..<8 { sums[lane] += values[start + offset + lane] }
        }
        let total =
            ((sums[0] + sums[1]) + (sums[2] + sums[3]))
            + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
        return values.dropFirst(whole).reduce(total, +)
    }
}
