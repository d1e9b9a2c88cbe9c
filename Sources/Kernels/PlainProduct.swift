import COpenBLAS

/// OpenBLAS's sgemm as it is, for benchmarks to compare with.
package enum PlainProduct {
    /// Seconds that `repeats` products C = op(A) op(B) of [rows, columns] take on this thread.
    ///
    /// Shapes: op(A) [rows, inner], op(B) [inner, columns], all stored densely.
    package static func seconds(
        rows: Int, columns: Int, inner: Int, transposeA: Bool, transposeB: Bool, repeats: Int
    ) -> Double {
        let a = [Float](repeating: 0.5, count: rows * inner)
        let b = [Float](repeating: 0.25, count: inner * columns)
        var c = [Float](repeating: 0, count: rows * columns)
        let start = ContinuousClock.now
        for _ in 0..<repeats {
            cblas_sgemm(
                CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans,
                transposeB ? CblasTrans : CblasNoTrans, blasint(rows), blasint(columns),
                blasint(inner), 1, a, blasint(transposeA ? rows : inner), b,
                blasint(transposeB ? inner : columns), 0, &c, blasint(columns))
        }
        let (seconds, attoseconds) = start.duration(to: .now).components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
