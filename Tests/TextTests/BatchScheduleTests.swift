import Testing
import Text

@Suite struct BatchScheduleTests {
    /// Sentences of 1 to 30 words, some far longer than the others.
    static func corpus(_ count: Int, long: Int = 0) -> TokenizedCorpus {
        TokenizedCorpus(
            samples: (0..<count).map { index in
                let length = index < long ? 200 : 1 + (index * 7919) % 30
                let ids = (0..<Int32(length)).map { 4 + (Int32(index) &* 31 &+ $0) % 900 }
                return Sample(source: ids + [2], target: Array(ids.dropLast(index % 3)))
            })
    }

    private func schedule(
        _ corpus: TokenizedCorpus = corpus(1000), tokens: Int = 512, shards: Int = 8,
        seed: UInt64 = 7
    ) throws -> BatchSchedule {
        try BatchSchedule(corpus: corpus, batchTokens: tokens, shards: shards, seed: seed)
    }

    @Test func `a batch is a function of seed and step`() throws {
        let one = try schedule()
        let forwards = (1...3 * one.batchesPerEpoch).map { one.batch(step: $0) }
        let other = try schedule()
        for step in (1...3 * one.batchesPerEpoch).reversed() {
            #expect(other.batch(step: step) == forwards[step - 1])
        }
        #expect(try schedule(seed: 8).batch(step: 1) != forwards[0])
    }

    @Test func `every release and machine draws the same batch`() throws {
        let first = try schedule(Self.corpus(20), tokens: 100, shards: 2).batch(step: 1)
        #expect(first.shards.map(\.samples) == Self.firstBatch)
    }
    static let firstBatch = [[8, 0], [13, 16]]

    @Test(arguments: [
        (1000, 0, 512), (1000, 0, 1), (7, 3, 64), (50, 5, 100), (1, 0, 4096), (3, 0, 1),
    ])
    func `every sample is used once an epoch and no batch is empty`(
        _ count: Int, _ long: Int, _ tokens: Int
    ) throws {
        let corpus = Self.corpus(count, long: long)
        let schedule = try schedule(corpus, tokens: tokens)
        var orders: Set<[Int]> = []
        for epoch in 0..<3 {
            var used: [Int] = []
            for index in 0..<schedule.batchesPerEpoch {
                let batch = schedule.batch(step: epoch * schedule.batchesPerEpoch + index + 1)
                #expect(batch.epoch == epoch)
                #expect(batch.labels > 0)
                #expect(batch.shards.count == 8)
                used += batch.shards.flatMap(\.samples)
            }
            #expect(used.sorted() == Array(0..<count))
            orders.insert(used)
        }
        #expect(orders.count == 3 || count < 7)
    }

    @Test func `batches are about as large as asked`() throws {
        let schedule = try schedule(tokens: 600)
        for step in 1...schedule.batchesPerEpoch {
            #expect(abs(schedule.batch(step: step).tokens - 600) < 80)
        }
    }

    @Test func `the number of shards does not change the batch`() throws {
        let samples = try [1, 2, 3, 8, 64].map { shards in
            try (1...20).map { step in
                let batch = try schedule(shards: shards).batch(step: step)
                #expect(batch.shards.count == shards)
                return batch.shards.flatMap(\.samples).sorted()
            }
        }
        #expect(samples.allSatisfy { $0 == samples[0] })
    }

    @Test func `shards are balanced, and count what they hold`() throws {
        let corpus = Self.corpus(1000)
        let batch = try schedule(corpus, tokens: 2048).batch(step: 3)
        let loads = batch.shards.map(\.tokens)
        #expect(loads.max()! - loads.min()! <= 10)
        #expect(loads.reduce(0, +) == batch.tokens)
        for shard in batch.shards {
            #expect(shard.sources == shard.samples.map { corpus.samples[$0].source })
            #expect(shard.targets == shard.samples.map { corpus.samples[$0].target })
            #expect(shard.tokens == shard.samples.reduce(0) { $0 + corpus.samples[$1].tokens })
            #expect(shard.labels == shard.samples.reduce(0) { $0 + corpus.samples[$1].labels })
        }
    }

    @Test func `shards without samples are empty`() throws {
        let batch = try schedule(Self.corpus(3), tokens: 4096).batch(step: 5)
        #expect(batch.shards.map(\.samples.count) == [1, 1, 1, 0, 0, 0, 0, 0])
        #expect(batch.shards[7].tokens == 0)
    }

    @Test func `held-out batches go through in order`() throws {
        let heldOut = Self.corpus(100)
        let batches = try schedule().heldOutBatches(heldOut)
        #expect(batches.count > 1)
        var next = 0
        for (index, batch) in batches.enumerated() {
            #expect(batch.step == index + 1)
            let samples = batch.shards.flatMap(\.samples).sorted()
            #expect(samples == Array(next..<next + samples.count))
            next += samples.count
        }
        #expect(next == 100)
        #expect(try schedule().heldOutBatches(TokenizedCorpus(samples: [])).isEmpty)
    }

    @Test(arguments: [(0, 512, 8), (10, 0, 8), (10, -5, 8), (10, 512, 0), (10, 512, -1)])
    func `a schedule without samples, tokens or shards is refused`(
        _ count: Int, _ tokens: Int, _ shards: Int
    ) {
        #expect(
            throws: TextError.unfitSchedule(samples: count, batchTokens: tokens, shards: shards)
        ) { try schedule(Self.corpus(count), tokens: tokens, shards: shards) }
    }

    @Test func `a sentence longer than the positions names its line`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("one\tun\ntwo\tun deux trois quatre\n")
        let pairs = try PairsRead(.pairs(path)).pairs
        let tokenizer = TokenizerTests.tokenizer
        let words = try tokenizer.encode("un deux trois quatre").count
        let fits = try TokenizedCorpus(pairs, tokenizer: tokenizer, positions: words + 1)
        #expect(fits.samples[1].target.count == words)
        #expect(fits.samples.allSatisfy { $0.source.last == 2 })
        #expect(fits.places == pairs.map(\.sourcePlace))
        #expect(
            throws: TextError.sequenceTooLong(
                Place(file: path, line: 2), tokens: words + 1, positions: words)
        ) {
            try TokenizedCorpus(pairs, tokenizer: tokenizer, positions: words, tooLong: .stop)
        }
    }

    @Test func `made-up batches have one length and depend on seed and step`() {
        func batches(_ seed: UInt64) -> SyntheticBatches {
            SyntheticBatches(sequences: 64, length: 32, vocabulary: 4096, shards: 8, seed: seed)
        }
        let batch = batches(1).batch(step: 3)
        #expect(batch.tokens == 2 * 64 * 32)
        #expect(batch.labels == 64 * 32)
        #expect(batch.shards.allSatisfy { $0.samples.count == 8 })
        #expect(batch.shards.flatMap(\.sources).allSatisfy { $0.count == 32 })
        let ids = batch.shards.flatMap { $0.sources + $0.targets }.joined()
        #expect(ids.allSatisfy { (4..<4096).contains($0) })
        #expect(batch == batches(1).batch(step: 3))
        #expect(batch.shards != batches(1).batch(step: 4).shards)
        #expect(batch.shards != batches(2).batch(step: 3).shards)
    }
}
