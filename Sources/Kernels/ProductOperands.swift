/// The destination of a product's sums.
struct ProductTarget {
    let c: Matrix
    let bias: UnsafeMutablePointer<Float>?
    let accumulate: Bool

    /// Adds a tile's row of sums to C, or puts it there.
    @inline(__always) func store(
        _ row: Int, _ column: Int, _ first: Wide, _ second: Wide, add: Bool, bias: Bool
    ) {
        let to = c.row(row) + column
        let width = c.columns - column
        var (low, high) = (first, second)
        guard width >= TileShape.columns else {
            return part(to, width, low, high, column, add, bias)
        }
        if add {
            low += to.wide(0)
            high += to.wide(8)
        }
        if bias, let from = self.bias {
            low += from.wide(column)
            high += from.wide(column + 8)
        }
        to.store(low, 0)
        to.store(high, 8)
    }

    @inline(never) private func part(
        _ to: UnsafeMutablePointer<Float>, _ width: Int, _ low: Wide, _ high: Wide,
        _ column: Int, _ add: Bool, _ bias: Bool
    ) {
        for j in 0..<width {
            var sum = j < 8 ? low[j] : high[j - 8]
            if add { sum += to[j] }
            if bias, let from = self.bias { sum += from[column + j] }
            to[j] = sum
        }
    }
}

/// Lines of memory that will soon be read: `perRow` in each of several rows.
struct Lines {
    let base: UnsafeMutablePointer<Float>
    let stride: Int
    let perRow: Int
    let count: Int

    @inline(__always) subscript(index: Int) -> UnsafeMutablePointer<Float> {
        guard perRow > 1 else { return base + index &* stride }
        let (row, line) = index.quotientAndRemainder(dividingBy: perRow)
        return base + (row &* stride &+ line &* 16)
    }
}

/// The left operand, as rows of A that the tiles can read.
protocol ProductRows {
    /// Returns the address of row `first` from depth `at` on, and how far the next row is.
    func rows(
        _ first: Int, _ count: Int, _ at: Int, _ depth: Int
    ) -> (UnsafeMutablePointer<Float>, stride: Int)
}

/// A as it lies.
struct DirectRows: ProductRows {
    let a: Matrix

    @inline(__always) func rows(
        _ first: Int, _ count: Int, _ at: Int, _ depth: Int
    ) -> (UnsafeMutablePointer<Float>, stride: Int) {
        (a.row(first) + at, a.stride)
    }
}

/// Aᵀ, packed.
struct PackedRows: ProductRows {
    let a: Matrix
    let target: UnsafeMutablePointer<Float>
    let stride: Int

    @inline(__always) func rows(
        _ first: Int, _ count: Int, _ at: Int, _ depth: Int
    ) -> (UnsafeMutablePointer<Float>, stride: Int) {
        Packing.rows(
            a, row: at, first: first, count: count, depth: depth, into: target, stride: stride)
        return (target, stride)
    }
}

/// The right operand, as panels of 16 columns.
protocol ProductPanels {
    /// Returns a panel: the workspace, after it has been packed there, or where it lies already.
    func panel(
        _ at: Int, _ column: Int, _ depth: Int, workspace: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float>
    /// Returns the memory that `panel` would read; none past the last column.
    func lines(_ at: Int, _ column: Int, _ depth: Int) -> Lines
}

/// The right operand that must be packed.
protocol PackingPanels: ProductPanels {
    func pack(_ at: Int, _ column: Int, _ depth: Int, into: UnsafeMutablePointer<Float>)
}

extension PackingPanels {
    @inline(__always) func panel(
        _ at: Int, _ column: Int, _ depth: Int, workspace: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        pack(at, column, depth, into: workspace)
        return workspace
    }
}

/// B as it lies.
struct DirectPanels: PackingPanels {
    let b: Matrix

    @inline(__always) func pack(
        _ at: Int, _ column: Int, _ depth: Int, into target: UnsafeMutablePointer<Float>
    ) {
        Packing.panel(b, row: at, column: column, depth: depth, into: target)
    }

    @inline(__always) func lines(_ at: Int, _ column: Int, _ depth: Int) -> Lines {
        Lines(
            base: b.row(at) + column, stride: b.stride, perRow: 1,
            count: column < b.columns ? depth : 0)
    }
}

/// Bᵀ.
struct TransposedPanels: PackingPanels {
    let b: Matrix

    @inline(__always) func pack(
        _ at: Int, _ column: Int, _ depth: Int, into target: UnsafeMutablePointer<Float>
    ) {
        Packing.transposedPanel(b, row: at, column: column, depth: depth, into: target)
    }

    @inline(__always) func lines(_ at: Int, _ column: Int, _ depth: Int) -> Lines {
        let perRow = (depth + 15) / 16
        let rows = max(0, min(TileShape.columns, b.rows - column))
        return Lines(
            base: b.row(rows == 0 ? 0 : column) + at, stride: b.stride, perRow: perRow,
            count: rows * perRow)
    }
}
