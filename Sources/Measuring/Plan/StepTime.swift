import Foundation
import Model
import Parameters
import Preparation
import Resources
import Threads

extension PreparedRun {
    /// Seconds that the gradients of the first step take here on so many threads; the fold and the
    /// update come on top.
    package func measuredSecondsAStep(threads: Int) throws(ResourceError) -> Double {
        let parameters = ParameterVector(count: model.layout.count)
        let arithmetic = configuration.optimizer.arithmetic
        model.initialise(parameters, seed: arithmetic.seed, arithmetic.initialisation)
        let batch = schedule.batch(step: 1)
        let inputs = batch.shards.map { ModelInput($0) }
        let pool = try LanePool(lanes: min(threads, inputs.count))
        defer { pool.stop() }
        let model = model
        let compute: @Sendable (Int) -> Void = { index in
            let gradient = ParameterVector(count: model.layout.count)
            _ = arithmetic.gradient(
                of: inputs[index], shard: index, step: 1, labels: batch.labels,
                parameters: parameters, into: gradient, on: Lane(model))
        }
        // The first shards find the memory cold.
        _ = pool.map(pool.count, compute)
        let start = ContinuousClock.now
        _ = pool.map(inputs.count, compute)
        return Clock.seconds(since: start)
    }
}
