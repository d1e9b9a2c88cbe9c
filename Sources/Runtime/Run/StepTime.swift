import Foundation
import Model
import Parameters
import Resources

extension PreparedRun {
    /// Seconds that the gradients of the first step take here on so many threads; the fold and the
    /// update come on top.
    package func measuredSecondsAStep(threads: Int) throws(ResourceError) -> Double {
        let parameters = ParameterVector(count: model.layout.count)
        model.initialise(
            parameters, seed: configuration.optimizer.seed, configuration.optimizer.firstValues)
        let batch = schedule.batch(step: 1)
        let inputs = batch.shards.map { ModelInput($0) }
        let smoothing = configuration.optimizer.smoothing
        let pool = try LanePool(lanes: min(threads, inputs.count))
        defer { pool.stop() }
        let model = model
        let compute: @Sendable (Int) -> Void = { index in
            let gradient = ParameterVector(count: model.layout.count)
            _ = Lane(model).gradient(
                of: inputs[index], parameters: parameters, into: gradient,
                labelCount: batch.labels, smoothing: smoothing,
                key: DropoutKey(seed: 0, step: 1, shard: index), finished: { _ in })
        }
        // The first shards find the memory cold.
        _ = pool.map(pool.count, compute)
        let start = ContinuousClock.now
        _ = pool.map(inputs.count, compute)
        return Clock.seconds(since: start)
    }
}
