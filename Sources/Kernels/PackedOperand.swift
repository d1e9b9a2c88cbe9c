/// The whole numbers that a trained model's matrices may be rounded to.
package enum Quantisation: String, Sendable, CaseIterable {
    /// 8 bits with a scale a row, of activations too as they come.
    case int8
}

/// The right operand of products C ← A·Bᵀ, packed once: with few rows in A, packing takes longer than
/// multiplying.
///
/// B's memory must outlive this, and its content must not change. Read-only, so fit for any number of
/// threads.
package final class PackedOperand: @unchecked Sendable {
    /// B as it lies. Shape: [n, k].
    package let matrix: Matrix
    let instructions: Instructions
    let precision: Precision
    /// nil where these instructions pack as they go.
    let panels: PackedPanels?
    /// B as whole numbers, where it is to be multiplied so.
    let quantised: QuantisedOperand?

    /// Packs B for multipliers with the same instructions and precision; with a `quantisation` as whole
    /// numbers, which any multiplier takes.
    package init(
        _ matrix: Matrix, _ instructions: Instructions = .chosen, precision: Precision = .f32,
        quantisation: Quantisation? = nil
    ) {
        self.matrix = matrix
        self.instructions = instructions
        self.precision = precision
        quantised = quantisation.map { _ in QuantisedOperand(matrix) }
        guard !instructions.isWide && quantised == nil else {
            panels = nil
            return
        }
        let source = TransposedPanels(b: matrix)
        panels =
            switch precision {
            case .f32: PackedPanels(source, of: matrix)
            case .bf16: PackedPanels(RoundedPanels(base: source), of: matrix)
            }
    }

    deinit { panels?.base.deallocate() }
}

/// Panels that lie packed: block after block of depth, in each one after the other.
struct PackedPanels: ProductPanels {
    fileprivate let base: UnsafeMutablePointer<Float>
    private let columns: Int
    /// All columns, zeros at the end included.
    private let width: Int

    /// Packs all panels of Bᵀ. A depth that is odd has room for a row more.
    fileprivate init(_ source: some PackingPanels, of b: Matrix) {
        columns = b.rows
        width = (b.rows + TileShape.columns - 1) / TileShape.columns * TileShape.columns
        let count = max(width * (b.columns + 1), 1)
        base = UnsafeMutableRawPointer.allocate(
            byteCount: count * MemoryLayout<Float>.stride, alignment: 64
        ).bindMemory(to: Float.self, capacity: count)
        for at in stride(from: 0, to: b.columns, by: Multiplier.depthBlock) {
            let depth = min(Multiplier.depthBlock, b.columns - at)
            for column in stride(from: 0, to: columns, by: TileShape.columns) {
                source.pack(at, column, depth, into: place(at, column, depth))
            }
        }
    }

    @inline(__always) private func place(
        _ at: Int, _ column: Int, _ depth: Int
    ) -> UnsafeMutablePointer<Float> {
        base + (at * width + column * ((depth + 1) & ~1))
    }

    @inline(__always) func panel(
        _ at: Int, _ column: Int, _ depth: Int, workspace: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        place(at, column, depth)
    }

    @inline(__always) func lines(_ at: Int, _ column: Int, _ depth: Int) -> Lines {
        Lines(
            base: place(at, column, depth), stride: TileShape.columns, perRow: 1,
            count: column < columns ? depth : 0)
    }
}
