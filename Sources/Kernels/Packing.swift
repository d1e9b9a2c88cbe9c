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
        let whole = depth & ~7
        for half in 0..<2 {
            let rows = max(0, min(8, width - 8 * half))
            let from = b.row(rows > 0 ? column + 8 * half : 0) + row
            let to = target + 8 * half
            var k = 0
            while k < whole {
                transpose(
                    from + k, b.stride, rows: rows, into: to + k * TileShape.columns,
                    TileShape.columns)
                k += 8
            }
            for k in whole..<depth {
                for j in 0..<8 {
                    to[k * TileShape.columns + j] = j < rows ? from[j * b.stride + k] : 0
                }
            }
        }
    }

    /// Columns first..<first + count of `a`, `depth` rows of them from `row` on, as rows `stride` apart.
    ///
    /// Writes whole groups of eight entries, and of eight rows if `a` has the columns: the target has
    /// room for that.
    @inline(__always) static func rows(
        _ a: Matrix, row: Int, first: Int, count: Int, depth: Int,
        into target: UnsafeMutablePointer<Float>, stride: Int
    ) {
        var k = 0
        while k < depth {
            let from = a.row(row + k) + first
            let present = min(8, depth - k)
            var column = 0
            while column < count && first + column + 8 <= a.columns {
                transpose(
                    from + column, a.stride, rows: present, into: target + column * stride + k,
                    stride)
                column += 8
            }
            while column < count {
                for j in 0..<present {
                    target[column * stride + k + j] = from[j * a.stride + column]
                }
                column += 1
            }
            k += 8
        }
    }

    /// An 8 × 8 block transposed; rows from `rows` on are 0 instead of being read.
    @inline(__always) static func transpose(
        _ from: UnsafeMutablePointer<Float>, _ stride: Int, rows: Int,
        into to: UnsafeMutablePointer<Float>, _ toStride: Int
    ) {
        guard rows < 8 else { return transpose(from, stride, into: to, toStride) }
        @inline(__always) func row(_ index: Int) -> Wide {
            index < rows ? from.wide(index * stride) : Wide.zero
        }
        transpose(
            (row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)), into: to, toStride)
    }

    @inline(__always) private static func transpose(
        _ from: UnsafeMutablePointer<Float>, _ stride: Int,
        into to: UnsafeMutablePointer<Float>, _ toStride: Int
    ) {
        let first = (from.wide(0), from.wide(stride), from.wide(2 * stride), from.wide(3 * stride))
        let fourth = from + 4 * stride
        let second = (
            fourth.wide(0), fourth.wide(stride), fourth.wide(2 * stride), fourth.wide(3 * stride)
        )
        transpose(
            (first.0, first.1, first.2, first.3, second.0, second.1, second.2, second.3), into: to,
            toStride)
    }

    private typealias Rows = (Wide, Wide, Wide, Wide, Wide, Wide, Wide, Wide)

    /// Transposes in registers: pairs of rows, then of pairs, then of halves.
    @inline(__always) private static func transpose(
        _ r: Rows, into to: UnsafeMutablePointer<Float>, _ toStride: Int
    ) {
        let (p0, p1) = (low(r.0, r.1), high(r.0, r.1))
        let (p2, p3) = (low(r.2, r.3), high(r.2, r.3))
        let (p4, p5) = (low(r.4, r.5), high(r.4, r.5))
        let (p6, p7) = (low(r.6, r.7), high(r.6, r.7))
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
