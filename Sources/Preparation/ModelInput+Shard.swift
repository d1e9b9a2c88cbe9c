import Model
import Text

extension ModelInput {
    /// Decoder input is the begin mark and the words, labels are the words and the end mark. Where
    /// no sample has a source they are windows of a text: each of their tokens is a label.
    package init(_ shard: Shard) {
        guard shard.sources.contains(where: { !$0.isEmpty }) else {
            self.init(
                source: Sequences([]),
                decoder: Sequences(shard.targets.map { [Tokenizer.begin] + $0.dropLast() }),
                labels: shard.targets.flatMap { $0 })
            return
        }
        self.init(
            source: Sequences(shard.sources),
            decoder: Sequences(shard.targets.map { [Tokenizer.begin] + $0 }),
            labels: shard.targets.flatMap { $0 + [Tokenizer.end] })
    }
}
