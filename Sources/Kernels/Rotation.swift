/// Rotary positions turn pairs of neighbouring columns of each head by an angle. It grows with the
/// position, so that q·k depends on the distance alone.
///
///     (a, b) ← (a cos φ - b sin φ, a sin φ + b cos φ),   φ = p / 10000^(2i/d_h)
///
/// Source: Su et al., "RoFormer" (2021), section 3.4.2.
package enum Rotation {
    /// Turns x in place, backwards with `inverse`; the first row of each sequence is at position 0.
    ///
    /// Shapes: x [tokens, heads · d_h]; table [positions, d_h]: cos and sin of each pair's angle.
    package static func apply(
        _ x: Matrix, _ offsets: Offsets, heads: Int, table: Matrix, inverse: Bool
    ) {
        precondition(offsets.tokens == x.rows, "\(offsets.tokens) tokens, \(x.rows) rows")
        for sequence in 0..<offsets.sequences {
            let range = offsets[sequence]
            for token in range {
                turn(
                    x.rows(token..<token + 1), heads: heads, table: table,
                    position: token - range.lowerBound, inverse: inverse)
            }
        }
    }

    /// Turns a single row in place. Shapes: x [1, heads · d_h]; table as above.
    package static func turn(
        _ x: Matrix, heads: Int, table: Matrix, position: Int, inverse: Bool
    ) {
        let width = table.columns
        precondition(x.columns == heads * width && width % 2 == 0, "\(x.columns) columns")
        precondition(position >= 0 && position < table.rows, "\(position) of \(table.rows)")
        let angles = table.row(position)
        for head in 0..<heads {
            let pair = x.base + head * width
            for index in stride(from: 0, to: width, by: 2) {
                let (a, b) = (pair[index], pair[index + 1])
                let cosine = angles[index]
                let sine = inverse ? -angles[index + 1] : angles[index + 1]
                pair[index] = a * cosine - b * sine
                pair[index + 1] = a * sine + b * cosine
            }
        }
    }
}
