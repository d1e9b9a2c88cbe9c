import Parameters

/// Takes a step's gradients while lanes compute them; the ring thread is one.
package protocol GradientSink: Sendable {
    /// Begins a step's fold, before the lanes start.
    ///
    /// `gradients`: one a shard of this worker, in shard order; `total`: the vector that the sum
    /// goes into.
    func begin(step: UInt64, gradients: [ParameterVector], total: ParameterVector)
    /// Says that a shard's gradient is final from element `offset` on; `index` counts own shards
    /// from 0.
    func finished(shard index: Int, downTo offset: Int)
    /// A vector for a gradient or a total that the ring at hand can fold.
    func vector(count: Int) -> ParameterVector
    /// Whether the ring at hand can fold a vector, or needs one made by `vector`.
    func canFold(_ vector: ParameterVector) -> Bool
}
