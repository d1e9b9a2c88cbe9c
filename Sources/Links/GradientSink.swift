import Parameters

/// Where the fold is told which parts of which own gradient are final.
package protocol GradientSink: Sendable {
    func begin(step: UInt64, gradients: [ParameterVector], total: ParameterVector)
    func finished(shard index: Int, downTo offset: Int)
    /// A vector for a gradient or a total that the ring at hand can fold.
    func vector(count: Int) -> ParameterVector
    func canFold(_ vector: ParameterVector) -> Bool
}
