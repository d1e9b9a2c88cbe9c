/// The left operand rounded to bfloat16, the second row of each pair of depth first.
///
/// Pairs are added in this order by the instruction that multiplies them: see `product_bf16.c`. A
/// depth that is odd is filled up with a zero.
struct RoundedRows<Base: ProductRows>: ProductRows {
    let base: Base
    /// The memory in which the rows lie after they have been rounded.
    let target: UnsafeMutablePointer<Float>
    let stride: Int

    @inline(__always) func rows(
        _ first: Int, _ count: Int, _ at: Int, _ depth: Int
    ) -> (UnsafeMutablePointer<Float>, stride: Int) {
        let (from, fromStride) = base.rows(first, count, at, depth)
        for row in 0..<count {
            let (source, to) = (from + row * fromStride, target + row * stride)
            // Room for whole groups of eight is behind each row.
            sweep(
                depth, whole: { to.store(exchanged(rounded(source.wide($0))), $0) },
                part: { to.store(exchanged(rounded(source.part($0, $1))), $0) })
        }
        return (target, stride)
    }

    @inline(__always) private func exchanged(_ x: Wide) -> Wide {
        Wide(x[1], x[0], x[3], x[2], x[5], x[4], x[7], x[6])
    }
}

/// The right operand rounded to bfloat16, the second row of each pair of depth first.
struct RoundedPanels<Base: PackingPanels>: PackingPanels {
    let base: Base

    @inline(__always) func pack(
        _ at: Int, _ column: Int, _ depth: Int, into target: UnsafeMutablePointer<Float>
    ) {
        base.pack(at, column, depth, into: target)
        var k = 0
        while k < depth {
            let even = target + k * TileShape.columns
            let odd = even + TileShape.columns
            for half in stride(from: 0, to: TileShape.columns, by: 8) {
                let second = k + 1 < depth ? rounded(odd.wide(half)) : Wide.zero
                odd.store(rounded(even.wide(half)), half)
                even.store(second, half)
            }
            k += 2
        }
    }

    @inline(__always) func lines(_ at: Int, _ column: Int, _ depth: Int) -> Lines {
        base.lines(at, column, depth)
    }
}
