import Model
import Text

extension ModelInput {
    /// Decoder input is the begin mark and the words, labels are the words and the end mark.
    package init(_ shard: Shard) {
        self.init(
            source: Sequences(shard.sources),
            decoder: Sequences(shard.targets.map { [Tokenizer.begin] + $0 }),
            labels: shard.targets.flatMap { $0 + [Tokenizer.end] })
    }
}
