import Testing
import Wire

/// Counts are believed only as far as a limit and the bytes that are there.
@Suite struct LimitTests {
    private let huge = UInt32.max

    @Test func `a count above the limit is refused before its elements are looked at`() {
        var writer = ByteWriter()
        writer.put(huge)
        for read in readers {
            var reader = ByteReader(writer.bytes)
            let expected = WireError.tooLong(field: "x", count: Int(huge), limit: 100)
            #expect(throws: expected) { try read(&reader, 100) }
        }
    }

    @Test func `a count above what is there is refused before memory is taken`() {
        var writer = ByteWriter()
        writer.put(huge)
        writer.append([1, 2, 3])
        for read in readers {
            var reader = ByteReader(writer.bytes)
            do {
                try read(&reader, Int(huge))
                Issue.record("believed")
            } catch WireError.truncated(_, let needed, let available) {
                #expect(needed >= Int(huge) && available == 3)
            } catch {
                Issue.record(error)
            }
        }
    }

    @Test(arguments: [Double.nan, .infinity, -1, 1e300])
    func `a span of time that cannot be counted is refused`(seconds: Double) {
        for (compute, wait, fold) in [(seconds, 0, 0), (0, seconds, 0), (0, 0, seconds)] {
            let vote = Vote(
                generation: SampleMessages.generation, step: 1, total: SampleMessages.digest,
                state: SampleMessages.digest, squaredNorm: .nan, nonFiniteShards: [], reports: [],
                computeSeconds: compute, waitSeconds: wait, foldSeconds: fold)
            #expect(throws: WireError.unknownValue(field: "seconds", value: 0)) {
                try WorkerMessage(decoding: WorkerMessage.voted(vote).encoded)
            }
        }
        let vote = Vote(
            generation: SampleMessages.generation, step: 1, total: SampleMessages.digest,
            state: SampleMessages.digest, squaredNorm: .nan, nonFiniteShards: [], reports: [],
            computeSeconds: 0, waitSeconds: 0, foldSeconds: 0, linkRate: seconds)
        #expect(throws: WireError.unknownValue(field: "link", value: 0)) {
            try WorkerMessage(decoding: WorkerMessage.voted(vote).encoded)
        }
    }

    private var readers: [(inout ByteReader, Int) throws -> Void] {
        [
            { _ = try $0.text("x", limit: $1) },
            { _ = try $0.content("x", limit: $1) },
            { _ = try $0.int32s("x", limit: $1) },
            { _ = try $0.length("x", limit: $1, stride: 28) },
        ]
    }

    @Test func `numbers that could overflow are refused`() {
        var writer = ByteWriter()
        writer.put(UInt64(WireLimit.steps) + 1)
        #expect(throws: WireError.self) {
            try WorkerMessage(decoding: Envelope.seal(kind: 3, body: writer.bytes))
        }
        #expect(throws: WireError.self) {
            try CoordinatorMessage(decoding: Envelope.seal(kind: 69, body: writer.bytes))
        }
    }

    @Test func `text must be UTF-8`() {
        var writer = ByteWriter()
        writer.put([0xFF, 0xFE] as [UInt8])
        #expect(throws: WireError.malformedText(field: "reason")) {
            try WorkerMessage(decoding: Envelope.seal(kind: 11, body: writer.bytes))
        }
    }

    @Test(
        "a roster that is no arrangement of a ring is refused",
        arguments: [
            [0, 8], [1, 4, 8], [0, 4, 4], [0, 5, 3], [0, -1, 8], [0, 4, 100_000], [0, 2, 4, 8],
        ])
    func roster(bounds: [Int]) {
        let roster = Roster(
            generation: SampleMessages.generation, committed: 0, rank: 0, bounds: bounds,
            names: ["w1", "w2"], successor: SampleMessages.address)
        #expect(throws: WireError.unknownValue(field: "roster", value: 0)) {
            try CoordinatorMessage(decoding: CoordinatorMessage.roster(roster).encoded)
        }
    }

    @Test func `a shard outside every batch is refused`() {
        let report = ShardReport(
            shard: WireLimit.shards, smoothed: 0, negativeLogLikelihood: 0, labels: 0)
        let message = WorkerMessage.evaluated(Evaluation(step: 1, batch: 0, reports: [report]))
        #expect(throws: WireError.self) { try WorkerMessage(decoding: message.encoded) }
    }
}
