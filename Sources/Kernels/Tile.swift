/// The largest tile.
enum TileShape {
    static let rows = 6
    static let columns = 16
}

/// The number of rows of a tile, as a type.
protocol TileRows { static var count: Int { get } }

enum OneRow: TileRows { static var count: Int { 1 } }
enum TwoRows: TileRows { static var count: Int { 2 } }
enum ThreeRows: TileRows { static var count: Int { 3 } }
enum FourRows: TileRows { static var count: Int { 4 } }
enum FiveRows: TileRows { static var count: Int { 5 } }
enum SixRows: TileRows { static var count: Int { 6 } }

/// The innermost loop of a product: up to 6 rows × 16 columns of C in registers.
///
/// C_ij = Σ_k A_ik·B_kj, each entry one chain of fused multiply-adds in the order of k: twelve registers of
/// eight hold the sums, two a row of B, one an entry of A. So an entry's bits depend on its row of A, its
/// column of B and nothing else. Source: Goto, van de Geijn, "Anatomy of high-performance matrix
/// multiplication" (2008), section 4.
///
/// The number of rows is a type, so that each has a loop of its own without branches.
struct Tile<Rows: TileRows> {
    var c00 = Wide.zero, c01 = Wide.zero
    var c10 = Wide.zero, c11 = Wide.zero
    var c20 = Wide.zero, c21 = Wide.zero
    var c30 = Wide.zero, c31 = Wide.zero
    var c40 = Wide.zero, c41 = Wide.zero
    var c50 = Wide.zero, c51 = Wide.zero

    /// Computes the sums of rows of A, `stride` apart, and a panel of B [depth, 16].
    @inline(__always) init(
        _ a: UnsafePointer<Float>, stride: Int, _ b: UnsafePointer<Float>, depth: Int
    ) {
        let a1 = a + stride
        let a2 = a1 + stride
        let a3 = a2 + stride
        let a4 = a3 + stride
        let a5 = a4 + stride
        var at = 0
        var b = UnsafeRawPointer(b)
        let end = b + depth * TileShape.columns * MemoryLayout<Float>.stride
        while b < end {
            let b0 = b.load(as: Wide.self)
            let b1 = b.load(fromByteOffset: 32, as: Wide.self)
            let x0 = Wide(repeating: a[at])
            c00 = c00.addingProduct(x0, b0)
            c01 = c01.addingProduct(x0, b1)
            if Rows.count > 1 {
                let x1 = Wide(repeating: a1[at])
                c10 = c10.addingProduct(x1, b0)
                c11 = c11.addingProduct(x1, b1)
            }
            if Rows.count > 2 {
                let x2 = Wide(repeating: a2[at])
                c20 = c20.addingProduct(x2, b0)
                c21 = c21.addingProduct(x2, b1)
            }
            if Rows.count > 3 {
                let x3 = Wide(repeating: a3[at])
                c30 = c30.addingProduct(x3, b0)
                c31 = c31.addingProduct(x3, b1)
            }
            if Rows.count > 4 {
                let x4 = Wide(repeating: a4[at])
                c40 = c40.addingProduct(x4, b0)
                c41 = c41.addingProduct(x4, b1)
            }
            if Rows.count > 5 {
                let x5 = Wide(repeating: a5[at])
                c50 = c50.addingProduct(x5, b0)
                c51 = c51.addingProduct(x5, b1)
            }
            at &+= 1
            b += 64
        }
    }

    /// Calls `body` with each row's place and sums.
    @inline(__always) func eachRow(_ body: (_ row: Int, Wide, Wide) -> Void) {
        body(0, c00, c01)
        if Rows.count > 1 { body(1, c10, c11) }
        if Rows.count > 2 { body(2, c20, c21) }
        if Rows.count > 3 { body(3, c30, c31) }
        if Rows.count > 4 { body(4, c40, c41) }
        if Rows.count > 5 { body(5, c50, c51) }
    }
}
