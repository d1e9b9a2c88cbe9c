import COpenBLAS

/// Matrix products by OpenBLAS on the calling thread.
///
/// A product's bits depend on its shape and its operands alone, not on the thread, the alignment
/// or what ran before.
package enum Product {
    /// C ← α·A·Bᵀ + β·C. Shapes: A [m, k], B [n, k], C [m, n].
    package static func timesTransposed(
        _ a: Matrix, _ b: Matrix, into c: Matrix, accumulate: Bool = false, scale: Float = 1
    ) {
        precondition(a.columns == b.columns && c.rows == a.rows && c.columns == b.rows)
        call(
            CblasNoTrans, CblasTrans, a, b, c, a.columns, accumulate ? 1 : 0, scale)
    }

    /// C ← α·A·B + β·C. Shapes: A [m, k], B [k, n], C [m, n].
    package static func times(
        _ a: Matrix, _ b: Matrix, into c: Matrix, accumulate: Bool = false, scale: Float = 1
    ) {
        precondition(a.columns == b.rows && c.rows == a.rows && c.columns == b.columns)
        call(CblasNoTrans, CblasNoTrans, a, b, c, a.columns, accumulate ? 1 : 0, scale)
    }

    /// C ← α·Aᵀ·B + β·C. Shapes: A [k, m], B [k, n], C [m, n].
    package static func transposedTimes(
        _ a: Matrix, _ b: Matrix, into c: Matrix, accumulate: Bool = false, scale: Float = 1
    ) {
        precondition(a.rows == b.rows && c.rows == a.columns && c.columns == b.columns)
        call(CblasTrans, CblasNoTrans, a, b, c, a.rows, accumulate ? 1 : 0, scale)
    }

    private static func call(
        _ transposeA: CBLAS_TRANSPOSE, _ transposeB: CBLAS_TRANSPOSE, _ a: Matrix, _ b: Matrix,
        _ c: Matrix, _ depth: Int, _ beta: Float, _ alpha: Float
    ) {
        cblas_sgemm(
            CblasRowMajor, transposeA, transposeB, blasint(c.rows), blasint(c.columns),
            blasint(depth), alpha, a.base, blasint(a.stride), b.base, blasint(b.stride), beta,
            c.base, blasint(c.stride))
    }
}
