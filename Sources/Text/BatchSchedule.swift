import Synchronization

/// The samples of one step, cut into shards.
package struct Batch: Sendable, Hashable {
    /// The step that trains on the batch, from 1.
    package let step: Int
    /// The epoch that the step belongs to, from 0.
    package let epoch: Int
    /// The shards of the run, always all of them; some are empty when there are few samples.
    package let shards: [Shard]
    /// The number of words and end marks; the loss is the mean over them.
    package let labels: Int
    /// The number of source tokens and labels.
    package let tokens: Int

    /// Makes a batch of a step (from 1), its epoch (from 0) and all its shards.
    package init(step: Int, epoch: Int, shards: [Shard]) {
        self.step = step
        self.epoch = epoch
        self.shards = shards
        labels = shards.reduce(0) { $0 + $1.labels }
        tokens = shards.reduce(0) { $0 + $1.tokens }
    }
}

/// Chooses the samples of every step: a pure function of (seed, step).
///
/// An epoch is a permutation of the corpus cut into `batchesPerEpoch` runs. Let T be the tokens of
/// the corpus, and m the token midpoint of a sample in the permutation. Batch b takes the samples
/// with b ≤ m · batches / T < b + 1, and one sample at least. Inside a batch samples go to shards
/// longest first, each to the shard with the fewest tokens so far.
package struct BatchSchedule: Sendable {
    /// The samples that the steps train on.
    package let corpus: TokenizedCorpus
    /// The tokens that a batch has on average, source tokens and labels.
    package let batchTokens: Int
    /// The number of shards of a batch.
    package let shards: Int
    /// The run's seed, which decides the order of samples in each epoch.
    package let seed: UInt64
    /// The number of steps of an epoch, at least 1.
    package let batchesPerEpoch: Int
    private let latest: LatestEpoch

    /// Makes a schedule; throws `unfitSchedule` if there is no sample, token or shard.
    package init(
        corpus: TokenizedCorpus, batchTokens: Int, shards: Int, seed: UInt64
    ) throws(TextError) {
        guard !corpus.samples.isEmpty, batchTokens > 0, shards > 0 else {
            throw .unfitSchedule(
                samples: corpus.samples.count, batchTokens: batchTokens, shards: shards)
        }
        self.corpus = corpus
        self.batchTokens = batchTokens
        self.shards = shards
        self.seed = seed
        batchesPerEpoch = Self.batches(of: corpus, batchTokens: batchTokens)
        latest = LatestEpoch()
    }

    /// Returns the batch of a step; steps count from 1.
    package func batch(step: Int) -> Batch {
        precondition(step >= 1, "steps count from 1, this is \(step)")
        let epoch = (step - 1) / batchesPerEpoch
        let plan = latest.plan(of: epoch) {
            var random = SplitMix64(seed: seed, stream: UInt64(epoch))
            return EpochPlan(
                order: random.permutation(corpus.samples.count), of: corpus,
                batches: batchesPerEpoch)
        }
        let indices = plan.batch((step - 1) % batchesPerEpoch)
        return Batch(
            step: step, epoch: epoch, shards: Self.cut(indices, of: corpus.samples, into: shards))
    }

    /// Returns batches of another corpus, once through in its own order, of this schedule's size.
    /// Steps count from 1; a corpus without samples gives no batches.
    package func heldOutBatches(_ heldOut: TokenizedCorpus) -> [Batch] {
        Self.batchesInOrder(heldOut, batchTokens: batchTokens, shards: shards)
    }

    /// Returns batches of a corpus, once through in its own order. Steps count from 1; a corpus
    /// without samples gives no batches.
    package static func batchesInOrder(
        _ corpus: TokenizedCorpus, batchTokens: Int, shards: Int
    ) -> [Batch] {
        precondition(batchTokens > 0 && shards > 0, "\(batchTokens) tokens, \(shards) shards")
        if corpus.samples.isEmpty { return [] }
        let count = batches(of: corpus, batchTokens: batchTokens)
        let plan = EpochPlan(order: Array(corpus.samples.indices), of: corpus, batches: count)
        return (0..<count).map { index in
            Batch(
                step: index + 1, epoch: 0,
                shards: cut(plan.batch(index), of: corpus.samples, into: shards))
        }
    }

    /// The number of batches whose mean size is nearest to `batchTokens`.
    private static func batches(of corpus: TokenizedCorpus, batchTokens: Int) -> Int {
        let size = min(batchTokens, corpus.tokens)
        return max(1, min(corpus.samples.count, (corpus.tokens + size / 2) / size))
    }

    /// Gives the longest sample first, to the emptiest shard; ties go to
    /// the lower index on both sides.
    static func cut(_ indices: [Int], of samples: [Sample], into shards: Int) -> [Shard] {
        let longestFirst = indices.sorted {
            (samples[$1].tokens, $0) < (samples[$0].tokens, $1)
        }
        var members = [[Int]](repeating: [], count: shards)
        var loads = [Int](repeating: 0, count: shards)
        for index in longestFirst {
            var emptiest = 0
            for shard in 1..<max(1, shards) where loads[shard] < loads[emptiest] {
                emptiest = shard
            }
            members[emptiest].append(index)
            loads[emptiest] += samples[index].tokens
        }
        return members.map { Shard($0, of: samples) }
    }
}

/// An order of the corpus and where it is cut into batches.
private struct EpochPlan: Sendable {
    let order: [Int]
    /// The first position of every batch, and the end.
    let starts: [Int]

    init(order: [Int], of corpus: TokenizedCorpus, batches: Int) {
        precondition(batches <= order.count, "\(batches) batches of \(order.count) samples")
        var starts = [0]
        var before = 0
        for (position, sample) in order.enumerated() {
            let tokens = corpus.samples[sample].tokens
            let share = (2 * before + tokens) * batches / (2 * corpus.tokens)
            before += tokens
            // One sample at least for every batch, whatever the sizes.
            let mustOpen = order.count - position <= batches - starts.count
            let mayOpen = position > starts[starts.count - 1] && starts.count < batches
            if mayOpen && (mustOpen || share >= starts.count) { starts.append(position) }
        }
        self.order = order
        self.starts = starts + [order.count]
    }

    func batch(_ index: Int) -> [Int] { Array(order[starts[index]..<starts[index + 1]]) }
}

/// Remembers one epoch's plan, since steps mostly follow one another.
private final class LatestEpoch: Sendable {
    private let plan = Mutex<(epoch: Int, plan: EpochPlan)?>(nil)

    func plan(of epoch: Int, make: () -> EpochPlan) -> EpochPlan {
        plan.withLock { latest in
            if let latest, latest.epoch == epoch { return latest.plan }
            let made = make()
            latest = (epoch, made)
            return made
        }
    }
}
