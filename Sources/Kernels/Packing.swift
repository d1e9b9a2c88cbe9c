/// Copies of operands in the order in which the tiles read them.
enum Packing {
    /// Rows 0..<depth of 16 columns of B, from (row, column) of `b` on; columns past the end are 0.
    @inline(__always) static func panel(
        _ b: Matrix, row: Int, column: Int, depth: Int, into target: UnsafeMutablePointer<Float>
    ) {
        let width = min(TileShape.columns, b.columns - column)
        if width == TileShape.columns {
            for k in 0..<depth {
                let from = b.row(row + k) + column
                let to = target + k * TileShape.columns
                to.store(from.wide(0), 0)
                to.store(from.wide(8), 8)
            }
            return
        }
        for k in 0..<depth {
            let from = b.row(row + k) + column
            let to = target + k * TileShape.columns
            for j in 0..<TileShape.columns { to[j] = j < width ? from[j] : 0 }
        }
    }

    /// The same of Bᵀ: columns of B are rows of `b`.
    @inline(__always) static func transposedPanel(
        _ b: Matrix, row: Int, column: Int, depth: Int, into target: UnsafeMutablePointer<Float>
    ) {
        let width = min(TileShape.columns, b.rows - column)
        var k = 0
        if width == TileShape.columns {
            while k + 8 <= depth {
                for half in 0..<2 {
                    transpose(
                        b.row(column + 8 * half) + row + k, b.stride,
                        into: target + k * TileShape.columns + 8 * half, TileShape.columns)
                }
                k += 8
            }
        }
        while k < depth {
            let to = target + k * TileShape.columns
            for j in 0..<TileShape.columns { to[j] = j < width ? b.row(column + j)[row + k] : 0 }
            k += 1
        }
    }

    /// Columns first..<first + count of `a`, `depth` rows of them from `row` on, as rows `stride` apart.
    @inline(__always) static func rows(
        _ a: Matrix, row: Int, first: Int, count: Int, depth: Int,
        into target: UnsafeMutablePointer<Float>, stride: Int
    ) {
        var k = 0
        while k + 8 <= depth {
            let from = a.row(row + k) + first
            var column = 0
            while column + 8 <= count {
                transpose(from + column, a.stride, into: target + column * stride + k, stride)
                column += 8
            }
            for rest in column..<count {
                for j in 0..<8 { target[rest * stride + k + j] = from[j * a.stride + rest] }
            }
            k += 8
        }
        for last in k..<depth {
            let from = a.row(row + last) + first
            for column in 0..<count { target[column * stride + last] = from[column] }
        }
    }

    /// An 8 × 8 block transposed, in registers.
    @inline(__always) static func transpose(
        _ from: UnsafeMutablePointer<Float>, _ stride: Int,
        into to: UnsafeMutablePointer<Float>, _ toStride: Int
    ) {
        let (r0, r1) = (from.wide(0), from.wide(stride))
        let (r2, r3) = (from.wide(2 * stride), from.wide(3 * stride))
        let (r4, r5) = (from.wide(4 * stride), from.wide(5 * stride))
        let (r6, r7) = (from.wide(6 * stride), from.wide(7 * stride))
        let (p0, p1) = (low(r0, r1), high(r0, r1))
        let (p2, p3) = (low(r2, r3), high(r2, r3))
        let (p4, p5) = (low(r4, r5), high(r4, r5))
        let (p6, p7) = (low(r6, r7), high(r6, r7))
        let (q0, q1) = (firstPairs(p0, p2), secondPairs(p0, p2))
        let (q2, q3) = (firstPairs(p1, p3), secondPairs(p1, p3))
        let (q4, q5) = (firstPairs(p4, p6), secondPairs(p4, p6))
        let (q6, q7) = (firstPairs(p5, p7), secondPairs(p5, p7))
        to.store(Wide(lowHalf: q0.lowHalf, highHalf: q4.lowHalf), 0)
        to.store(Wide(lowHalf: q1.lowHalf, highHalf: q5.lowHalf), toStride)
        to.store(Wide(lowHalf: q2.lowHalf, highHalf: q6.lowHalf), 2 * toStride)
        to.store(Wide(lowHalf: q3.lowHalf, highHalf: q7.lowHalf), 3 * toStride)
        to.store(Wide(lowHalf: q0.highHalf, highHalf: q4.highHalf), 4 * toStride)
        to.store(Wide(lowHalf: q1.highHalf, highHalf: q5.highHalf), 5 * toStride)
        to.store(Wide(lowHalf: q2.highHalf, highHalf: q6.highHalf), 6 * toStride)
        to.store(Wide(lowHalf: q3.highHalf, highHalf: q7.highHalf), 7 * toStride)
    }

    /// Lanes 0, 1 of both, alternating, in each half: one instruction.
    @inline(__always) private static func low(_ a: Wide, _ b: Wide) -> Wide {
        Wide(a[0], b[0], a[1], b[1], a[4], b[4], a[5], b[5])
    }

    @inline(__always) private static func high(_ a: Wide, _ b: Wide) -> Wide {
        Wide(a[2], b[2], a[3], b[3], a[6], b[6], a[7], b[7])
    }

    @inline(__always) private static func firstPairs(_ a: Wide, _ b: Wide) -> Wide {
        Wide(a[0], a[1], b[0], b[1], a[4], a[5], b[4], b[5])
    }

    @inline(__always) private static func secondPairs(_ a: Wide, _ b: Wide) -> Wide {
        Wide(a[2], a[3], b[2], b[3], a[6], a[7], b[6], b[7])
    }
}
