import CKernels

/// Matrix products by our own tiles, on the calling thread; belongs to one thread, for its workspace.
///
/// A panel of 16 columns of B is packed into the first-level cache and used by all rows of A; depth is
/// cut into blocks of 256, so an entry is a sum of such blocks' chains in order. Bits depend on the depth
/// and the operands alone. With AVX-512 panels are 32 wide and tiles 12 × 32: `product_avx512.c`.
///
/// With `Precision.bf16` operands are rounded, a block's sum begins at 0 and takes pairs of depth, the
/// second of a pair first: `product_bf16.c` says why any instructions give its bits.
package final class Multiplier {
    static let depthBlock = Int(dtrain_depth_block)
    /// The most rows of A that pass by a panel before the next. A block of 256 deep takes a third
    /// of a MiB, for the second-level cache.
    static let rowLimit = Int(dtrain_row_limit)
    /// The stride of packed Aᵀ: not a power of two, so that rows do not
    /// share their places in the cache.
    static let rowStride = 272

    private let panel: UnsafeMutablePointer<Float>
    private let rows: UnsafeMutablePointer<Float>
    /// The rounded rows of B, before they become a panel.
    private let scratch: UnsafeMutablePointer<Float>
    private let quantisedRows = QuantisedRows()
    private let instructions: Instructions
    /// The format that operands are rounded to.
    package let precision: Precision

    /// Makes a multiplier with a workspace of its own. Any instructions give the same bits.
    package init(_ instructions: Instructions = .chosen, precision: Precision = .f32) {
        precondition(instructions.isAvailable, "\(instructions) on a processor without")
        self.instructions = instructions
        self.precision = precision
        panel = Self.memory(Int(dtrain_panel_floats))
        rows = Self.memory(Int(dtrain_block_floats))
        scratch = Self.memory(Int(dtrain_panel_floats))
    }

    deinit {
        panel.deallocate()
        rows.deallocate()
        scratch.deallocate()
    }

    private static func memory(_ count: Int) -> UnsafeMutablePointer<Float> {
        UnsafeMutableRawPointer.allocate(
            byteCount: count * MemoryLayout<Float>.stride, alignment: 64
        ).bindMemory(to: Float.self, capacity: count)
    }

    /// C ← A·Bᵀ (+ C) (+ bias in every row). Shapes: A [m, k], B [n, k], C [m, n], bias [1, n].
    ///
    /// C may have columns past B's rows: they become 0 (+ C, + bias).
    package func timesTransposed(
        _ a: Matrix, _ b: Matrix, into c: Matrix, bias: Matrix? = nil, accumulate: Bool = false
    ) {
        precondition(a.columns == b.columns && c.rows == a.rows && c.columns >= b.rows)
        precondition(bias == nil || bias?.columns == c.columns && !accumulate)
        let target = ProductTarget(c: c, bias: bias?.base, accumulate: accumulate)
        guard !instructions.isWide else {
            return multiplyWide(
                a, (a.stride, 1), b, (1, b.stride), columns: b.rows, depth: a.columns, target)
        }
        narrow(DirectRows(a: a), TransposedPanels(b: b), depth: a.columns, target)
    }

    /// C ← A·Bᵀ (+ bias in every row), B packed beforehand: for products with few rows. The bits are
    /// those of the other one. Shapes: A [m, k], B [n, k], C [m, n], bias [1, n].
    package func timesTransposed(
        _ a: Matrix, _ b: PackedOperand, into c: Matrix, bias: Matrix? = nil
    ) {
        precondition(a.columns == b.matrix.columns && c.rows == a.rows)
        precondition(c.columns == b.matrix.rows && (bias == nil || bias?.columns == c.columns))
        if let quantised = b.quantised {
            return quantised.multiply(a, quantisedRows, bias: bias, into: c)
        }
        precondition(b.instructions == instructions && b.precision == precision)
        guard let panels = b.panels else {
            return timesTransposed(a, b.matrix, into: c, bias: bias)
        }
        let target = ProductTarget(c: c, bias: bias?.base, accumulate: false)
        let rows = DirectRows(a: a)
        switch precision {
        case .f32: multiply(rows, panels, depth: a.columns, target)
        case .bf16: multiply(rounding(rows), panels, depth: a.columns, inPairs: true, target)
        }
    }

    /// C ← A·B (+ C). Shapes: A [m, k], B [k, n], C [m, n].
    package func times(_ a: Matrix, _ b: Matrix, into c: Matrix, accumulate: Bool = false) {
        precondition(a.columns == b.rows && c.rows == a.rows && c.columns == b.columns)
        let target = ProductTarget(c: c, bias: nil, accumulate: accumulate)
        guard !instructions.isWide else {
            return multiplyWide(
                a, (a.stride, 1), b, (b.stride, 1), columns: b.columns, depth: a.columns, target)
        }
        narrow(DirectRows(a: a), DirectPanels(b: b), depth: a.columns, target)
    }

    /// C ← Aᵀ·B (+ C). Shapes: A [k, m], B [k, n], C [m, n]; columns of A past C's rows are left out.
    package func transposedTimes(
        _ a: Matrix, _ b: Matrix, into c: Matrix, accumulate: Bool = false
    ) {
        precondition(a.rows == b.rows && c.rows <= a.columns && c.columns == b.columns)
        let target = ProductTarget(c: c, bias: nil, accumulate: accumulate)
        guard !instructions.isWide else {
            return multiplyWide(
                a, (1, a.stride), b, (b.stride, 1), columns: b.columns, depth: a.rows, target)
        }
        let packed = PackedRows(a: a, target: rows, stride: Self.rowStride)
        narrow(packed, DirectPanels(b: b), depth: a.rows, target)
    }

    /// Multiplies by AVX-512. Entry (i, k) of A lies at `i * aSteps.row + k *
    /// aSteps.depth`, (k, j) of B likewise.
    private func multiplyWide(
        _ a: Matrix, _ aSteps: (row: Int, depth: Int), _ b: Matrix,
        _ bSteps: (depth: Int, column: Int), columns: Int, depth: Int, _ target: ProductTarget
    ) {
        guard depth > 0 else { return target.accumulate ? () : target.c.fill(0) }
        var product = dtrain_product(
            a: a.base, a_row: aSteps.row, a_depth: aSteps.depth, b: b.base, b_depth: bSteps.depth,
            b_column: bSteps.column, b_columns: columns, c: target.c.base,
            c_row: target.c.stride, rows: target.c.rows, columns: target.c.columns, depth: depth,
            bias: target.bias, accumulate: target.accumulate ? 1 : 0, panel: panel, block: rows,
            rounded: b.copies, scratch: scratch)
        switch precision {
        case .f32: dtrain_multiply_avx512(&product)
        case .bf16: dtrain_multiply_bf16(&product, instructions == .avx512bf16 ? 1 : 0)
        }
    }

    /// Multiplies by the instructions of all processors.
    @inline(__always) private func narrow<Rows: ProductRows, Panels: PackingPanels>(
        _ a: Rows, _ panels: Panels, depth: Int, _ target: ProductTarget
    ) {
        switch precision {
        case .f32: multiply(a, panels, depth: depth, target)
        case .bf16:
            multiply(rounding(a), RoundedPanels(base: panels), depth: depth, inPairs: true, target)
        }
    }

    @inline(__always) private func rounding<Rows: ProductRows>(_ a: Rows) -> RoundedRows<Rows> {
        RoundedRows(base: a, target: rows, stride: Self.rowStride)
    }

    /// Returns the rows of a block: about equal in all, and whole tiles in all but the last.
    private static func rowBlock(_ rows: Int) -> Int {
        guard rows > rowLimit else { return max(1, rows) }
        let blocks = (rows + rowLimit - 1) / rowLimit
        let tiles = ((rows + blocks - 1) / blocks + TileShape.rows - 1) / TileShape.rows
        return tiles * TileShape.rows
    }

    @inline(__always) private func multiply<Rows: ProductRows, Panels: ProductPanels>(
        _ rows: Rows, _ panels: Panels, depth: Int, inPairs: Bool = false, _ target: ProductTarget
    ) {
        guard depth > 0 else { return target.accumulate ? () : target.c.fill(0) }
        let rowBlock = Self.rowBlock(target.c.rows)
        var at = 0
        while at < depth {
            let deep = min(Self.depthBlock, depth - at)
            var first = 0
            while first < target.c.rows {
                let count = min(rowBlock, target.c.rows - first)
                let a = rows.rows(first, count, at, deep)
                var column = 0
                while column < target.c.columns {
                    let panel = panels.panel(at, column, deep, workspace: panel)
                    let work = Work(
                        panel: panel, target: target, first: first, count: count, column: column,
                        depth: inPairs ? (deep + 1) & ~1 : deep,
                        add: target.accumulate || at > 0, bias: at == 0)
                    let ahead = panels.lines(at, column + TileShape.columns, deep)
                    tiles(a.0, a.stride, work, ahead)
                    column += TileShape.columns
                }
                first += count
            }
            at += deep
        }
    }

    /// The use of one panel of B.
    private struct Work {
        let panel: UnsafeMutablePointer<Float>
        let target: ProductTarget
        /// The rows of C.
        let first, count: Int
        let column: Int
        let depth: Int
        let add, bias: Bool
    }

    /// Computes all rows of C in the panel's columns; `a` is the
    /// address of the first one's row of A.
    @inline(__always) private func tiles(
        _ a: UnsafeMutablePointer<Float>, _ stride: Int, _ work: Work, _ ahead: Lines
    ) {
        var row = 0
        var fetched = 0
        // The next panel comes in while this one is used, spread over the tiles.
        let share = ahead.count * TileShape.rows / work.count + 1
        while row + TileShape.rows <= work.count {
            let due = min(ahead.count, fetched &+ share)
            while fetched < due {
                dtrain_prefetch(ahead[fetched])
                fetched &+= 1
            }
            tile(SixRows.self, a + row * stride, stride, row, work)
            row += TileShape.rows
        }
        let rest = a + row * stride
        switch work.count - row {
        case 1: tile(OneRow.self, rest, stride, row, work)
        case 2: tile(TwoRows.self, rest, stride, row, work)
        case 3: tile(ThreeRows.self, rest, stride, row, work)
        case 4: tile(FourRows.self, rest, stride, row, work)
        case 5: tile(FiveRows.self, rest, stride, row, work)
        default: break
        }
    }

    private func tile<Rows: TileRows>(
        _: Rows.Type, _ a: UnsafeMutablePointer<Float>, _ stride: Int, _ row: Int, _ work: Work
    ) {
        let first = work.first + row
        for index in 0..<Rows.count {
            dtrain_prefetch_to_write(work.target.c.row(first + index) + work.column)
        }
        let sums = Tile<Rows>(a, stride: stride, work.panel, depth: work.depth)
        sums.eachRow {
            work.target.store(first + $0, work.column, $1, $2, add: work.add, bias: work.bias)
        }
    }
}
