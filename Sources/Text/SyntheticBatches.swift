/// Random sentences of one length, for `bench step` without a corpus.
package struct SyntheticBatches: Sendable {
    /// The number of sequences of a whole batch.
    package let sequences: Int
    /// The tokens of a source, and the labels of a target (end mark included).
    package let length: Int
    /// The number of ids, marks included; words have ids from 4.
    package let vocabulary: Int
    /// The number of shards of a batch.
    package let shards: Int
    /// The seed that decides every word.
    package let seed: UInt64

    /// Makes batches; every number must be positive, and the vocabulary above 4.
    package init(sequences: Int, length: Int, vocabulary: Int, shards: Int, seed: UInt64) {
        precondition(
            sequences > 0 && length > 0 && vocabulary > 4 && shards > 0,
            "\(sequences) sequences of \(length), vocabulary \(vocabulary), \(shards) shards")
        self.sequences = sequences
        self.length = length
        self.vocabulary = vocabulary
        self.shards = shards
        self.seed = seed
    }

    /// The batch of a step, counted from 1: `2 · sequences · length` tokens, ids from 4.
    package func batch(step: Int) -> Batch {
        precondition(step >= 1, "steps count from 1, this is \(step)")
        var random = SplitMix64(seed: seed, stream: UInt64(step))
        func words(_ count: Int) -> [Int32] {
            (0..<count).map { _ in Int32(4 + random.next(below: vocabulary - 4)) }
        }
        let samples = (0..<sequences).map { _ in
            Sample(source: words(length), target: words(length - 1))
        }
        return Batch(
            step: step, epoch: 0,
            shards: BatchSchedule.cut(Array(samples.indices), of: samples, into: shards))
    }
}
