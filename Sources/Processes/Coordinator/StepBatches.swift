import Coordination
import Events
import Preparation
import Settings
import Text
import Training
import Wire

/// The batches of a run as orders to workers, and what is to be said of them.
struct StepBatches {
    private let source: any BatchSource
    private let configuration: RunConfiguration
    /// Names of the model's layers.
    private let layers: [String]
    private var current: Batch?

    init(_ setup: CoordinatorSetup) {
        source = setup.batches
        configuration = setup.configuration
        layers = setup.layers
    }

    mutating func batch(_ step: Int) -> Batch {
        if let current, current.step == step { return current }
        let batch = source.batch(step: step)
        current = batch
        return batch
    }

    private func rate(_ step: Int) -> Float {
        configuration.optimizer.arithmetic.schedule.rate(step: step)
    }

    // MARK: orders

    mutating func order(
        _ step: Int, _ shards: Range<Int>, of generation: Generation
    ) -> StepOrder {
        let batch = batch(step)
        return StepOrder(
            generation: generation, step: step, learningRate: rate(step), labels: batch.labels,
            shards: words(batch, shards),
            measuresLayers: configuration.reporting.logsLayers(step: step))
    }

    /// An order to try a batch of the held-out part after a step.
    func evaluation(_ step: Int, batch: Int, _ shards: Range<Int>) -> EvaluationOrder {
        EvaluationOrder(step: step, batch: batch, shards: words(source.heldOut[batch], shards))
    }

    private func words(_ batch: Batch, _ shards: Range<Int>) -> [ShardWords] {
        shards.map { ShardWords(shard: $0, words: batch.shards[$0].flattened) }
    }

    // MARK: reports

    /// The samples of shards whose numbers are not finite.
    mutating func samples(of shards: [Int], _ step: Int) -> [NonFiniteShard] {
        let batch = batch(step)
        return shards.filter(batch.shards.indices.contains).map { shard in
            let samples = batch.shards[shard].samples
            return NonFiniteShard(
                step: step, shard: shard, samples: samples,
                places: samples.compactMap { source.place(ofSample: $0) })
        }
    }

    /// Losses are added in shard order, whoever computed them.
    mutating func summary(of step: CommittedStep) -> StepReport {
        let batch = batch(step.step)
        let labels = Double(max(1, batch.labels))
        return StepReport(
            step: step.step, epoch: batch.epoch,
            loss: step.line.loss,
            negativeLogLikelihood: step.reports.reduce(0) { $0 + $1.negativeLogLikelihood }
                / labels,
            learningRate: Double(rate(step.step)),
            gradientNorm: step.gradientNorm, tokens: batch.tokens,
            timing: step.timing, workers: step.workers, isSkipped: step.skipped,
            layers: LayerReport.reports(
                layers, squaredNorms: step.layerNorms, shards: step.reports))
    }
}
