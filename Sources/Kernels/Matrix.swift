/// A row-major view `[rows, columns]` of float32 in memory that somebody else owns.
///
/// Element (r, c) lies at `base[r * stride + c]`. A view is as good as a pointer: it must not
/// outlive its memory. Its maker sees to it that nobody writes what others read.
package struct Matrix: @unchecked Sendable {
    /// The address of element (0, 0).
    package let base: UnsafeMutablePointer<Float>
    /// The number of rows.
    package let rows: Int
    /// The number of columns.
    package let columns: Int
    /// The number of elements from one row to the next, at least `columns`.
    package let stride: Int
    /// The same elements rounded to bfloat16, laid out alike; nil where nobody keeps such copies.
    package let copies: UnsafePointer<UInt16>?

    /// Makes a view of memory that somebody else owns; nil for `stride` means no gaps between rows.
    @inlinable package init(
        base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil,
        copies: UnsafePointer<UInt16>? = nil
    ) {
        self.base = base
        self.copies = copies
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
        precondition(rows >= 0 && columns >= 0 && self.stride >= columns)
    }

    /// The number of elements.
    package var count: Int { rows * columns }

    /// Whether rows follow each other without gaps.
    package var isDense: Bool { stride == columns || rows <= 1 }

    /// The element at a row and a column, counted from 0.
    package subscript(row: Int, column: Int) -> Float {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            return base[row * stride + column]
        }
        nonmutating set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            base[row * stride + column] = newValue
        }
    }

    @inline(__always) func row(_ row: Int) -> UnsafeMutablePointer<Float> { base + row * stride }

    /// Returns a view of some rows of the same memory.
    package func rows(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "\(range) of \(rows) rows")
        return Matrix(
            base: base + range.lowerBound * stride, rows: range.count, columns: columns,
            stride: stride)
    }

    /// Returns a view of some columns of the same memory.
    package func columns(_ range: Range<Int>) -> Matrix {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= columns, "\(range) of \(columns) columns")
        return Matrix(
            base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// Sets every element.
    package func fill(_ value: Float) {
        for index in 0..<rows { row(index).update(repeating: value, count: columns) }
    }

    /// Copies every element of a matrix of equal shape.
    package func copy(from other: Matrix) {
        precondition(rows == other.rows && columns == other.columns)
        for index in 0..<rows { row(index).update(from: other.row(index), count: columns) }
    }

    /// Returns all elements, row after row.
    package func elements() -> [Float] {
        (0..<rows).flatMap { Array(UnsafeBufferPointer(start: row($0), count: columns)) }
    }
}
