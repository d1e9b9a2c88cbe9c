import Parameters

/// Returns the squared Euclidean norm over fixed blocks, added in block order in Double.
///
/// The bits are the same, whichever thread sums which blocks. The norm is not finite if any element
/// is not: the verdict on a gradient that must not be used. Of elements from `trainable` on, which
/// are statistics, only that verdict is taken.
package func squaredNorm(of vector: ParameterVector, trainable: Int? = nil) -> Double {
    (0..<vector.blockCount).reduce(0) {
        $0 + vector.squaredSum(block: $1, trainable: trainable ?? vector.count)
    }
}

/// The result of `squaredNorm(of:)` whose blocks several lanes share.
///
/// Each block is set once; `squared` may be asked once all are set.
package struct SquaredNorm: Sendable {
    private let sums: BlockResults<Double>

    /// Makes room for the sums of vectors of `count` elements.
    package init(count: Int) {
        sums = BlockResults(count: ParameterVector.blockCount(count), initial: 0)
    }

    /// The number of blocks of such a vector.
    package var blockCount: Int { sums.count }

    /// Forgets all blocks. Nobody else may be using this meanwhile.
    package func reset() { sums.reset() }

    /// Sums the squares of some blocks.
    package func set(_ blocks: Range<Int>, of vector: ParameterVector, trainable: Int? = nil) {
        precondition(vector.blockCount == blockCount, "\(vector.blockCount) blocks")
        let trainable = trainable ?? vector.count
        for block in blocks {
            sums.set(block, vector.squaredSum(block: block, trainable: trainable))
        }
    }

    /// Whether every block has been summed, so that `squared` may be asked.
    package var isComplete: Bool { sums.isComplete }

    /// Returns the squared norm of the whole vector.
    package func squared() -> Double { sums.reduce(into: 0) { $0 += $1 } }
}

/// Returns the factor that brings a gradient of this norm (not squared) under `limit`.
///
///     min(1, c / (‖g‖ + 1e-6))
///
/// A limit of zero clips nothing. Source: Pascanu et al. 2013, algorithm 1; the constant is
/// PyTorch's.
package func clipScale(norm: Double, limit: Float) -> Float {
    guard limit > 0 else { return 1 }
    return Float(min(1, Double(limit) / (norm + 1e-6)))
}
