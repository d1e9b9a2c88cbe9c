import Model
import Text
import Training

extension StepRunner.Settings {
    init(_ configuration: RunConfiguration) {
        self.init(
            seed: configuration.seed, labelSmoothing: Float(configuration.labelSmoothing),
            clipNorm: Float(configuration.clipNorm),
            adam: AdamW(weightDecay: configuration.weightDecay))
    }
}

extension ModelInput {
    /// Decoder input is the begin mark and the words, labels are the words and the end mark.
    package init(_ shard: Shard) {
        self.init(
            source: Sequences(shard.sources),
            decoder: Sequences(shard.targets.map { [Tokenizer.begin] + $0 }),
            labels: shard.targets.flatMap { $0 + [Tokenizer.end] })
    }
}
