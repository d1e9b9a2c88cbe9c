import Testing
import Wire

/// Counts are believed only as far as a limit and the bytes that are there.
@Suite struct LimitTests {
    private let huge = UInt32.max

    /// What is read of a body that says how much follows, and the bytes before that.
    struct Sequence: CustomTestStringConvertible, Sendable {
        let field: String
        let kind: UInt8
        let before: Int
        let limit: Int
        /// Bytes that one element takes at least.
        let stride: Int
        let read: @Sendable ([UInt8]) throws(WireError) -> Void

        var testDescription: String { field }
    }

    static let sequences: [Sequence] = [
        Sequence(field: "reason", kind: 11, before: 0, limit: WireLimit.text, stride: 1) {
            (bytes) throws(WireError) in _ = try WorkerMessage(decoding: bytes)
        },
        Sequence(field: "lines", kind: 2, before: 2, limit: WireLimit.lines, stride: 57) {
            (bytes) throws(WireError) in _ = try WorkerMessage(decoding: bytes)
        },
        Sequence(field: "reports", kind: 6, before: 16, limit: WireLimit.shards, stride: 32) {
            (bytes) throws(WireError) in _ = try WorkerMessage(decoding: bytes)
        },
        Sequence(field: "slice", kind: 8, before: 25, limit: WireLimit.sliceBytes, stride: 1) {
            (bytes) throws(WireError) in _ = try WorkerMessage(decoding: bytes)
        },
        Sequence(field: "bounds", kind: 72, before: 20, limit: WireLimit.members + 1, stride: 4) {
            (bytes) throws(WireError) in _ = try CoordinatorMessage(decoding: bytes)
        },
        Sequence(field: "shards", kind: 75, before: 16, limit: WireLimit.shards, stride: 8) {
            (bytes) throws(WireError) in _ = try CoordinatorMessage(decoding: bytes)
        },
        Sequence(field: "status", kind: 121, before: 0, limit: WireLimit.status, stride: 1) {
            (bytes) throws(WireError) in _ = try StatusMessage(decoding: bytes)
        },
    ]

    @Test(arguments: sequences)
    func `a count above the limit is refused before its elements are looked at`(
        sequence: Sequence
    ) {
        let expected = WireError.tooLong(
            field: sequence.field, count: Int(huge), limit: sequence.limit)
        #expect(throws: expected) { try sequence.read(Self.body(sequence, count: huge)) }
    }

    @Test(arguments: sequences)
    func `a count above what is there is refused before memory is taken`(sequence: Sequence) {
        let expected = WireError.truncated(
            field: sequence.field, needed: sequence.limit * sequence.stride, available: 3)
        #expect(throws: expected) {
            try sequence.read(Self.body(sequence, count: UInt32(sequence.limit)))
        }
    }

    private static func body(_ sequence: Sequence, count: UInt32) -> [UInt8] {
        var writer = ByteWriter()
        writer.append([UInt8](repeating: 0, count: sequence.before))
        writer.put(count)
        writer.append([1, 2, 3])
        return Envelope.seal(kind: sequence.kind, body: writer.bytes)
    }

    @Test func `a reader outside of messages believes no count either`() {
        var writer = ByteWriter()
        writer.put(huge)
        writer.append([1, 2, 3])
        var reader = ByteReader(writer.bytes)
        #expect(throws: WireError.tooLong(field: "x", count: Int(huge), limit: 100)) {
            try reader.text("x", limit: 100)
        }
        reader = ByteReader(writer.bytes)
        #expect(throws: WireError.truncated(field: "x", needed: Int(huge), available: 3)) {
            try reader.text("x", limit: Int(huge))
        }
    }

    private func vote(
        times: OrderTimes = OrderTimes(received: 0, sent: 0),
        compute: WorkerSpan = WorkerSpan(begin: 0, end: 0),
        fold: WorkerSpan = WorkerSpan(begin: 0, end: 0), rate: Double = 0, delay: Double = 0
    ) -> [UInt8] {
        let vote = Vote(
            generation: SampleMessages.generation, step: 1, total: SampleMessages.digest,
            state: SampleMessages.digest, squaredNorm: .nan, nonFiniteShards: [], reports: [],
            times: times, compute: compute, fold: fold, linkRate: rate, linkDelay: delay)
        return WorkerMessage.voted(vote).encoded
    }

    @Test(arguments: [-1, WireLimit.nanoseconds + 1, .min, .max])
    func `a moment that cannot be reckoned with is refused`(moment: Int64) {
        let span = WorkerSpan(begin: min(moment, 0), end: max(moment, 0))
        let times = OrderTimes(received: span.begin, sent: span.end)
        let update = WorkerMessage.updated(
            Update(HeldState(step: 1, digest: .init(high: 0, low: 0)), span: span))
        for bytes in [
            vote(times: times), vote(compute: span), vote(fold: span), update.encoded,
        ] {
            #expect(throws: WireError.unknownValue(field: "moment", value: 0)) {
                try WorkerMessage(decoding: bytes)
            }
        }
    }

    @Test func `a span that ends before it begins is refused`() {
        var (span, times) = (WorkerSpan(begin: 2, end: 2), OrderTimes(received: 2, sent: 2))
        span.end = 1
        times.sent = 1
        for (bytes, field) in [
            (vote(times: times), "times"), (vote(compute: span), "span"),
            (vote(fold: span), "span"),
        ] {
            #expect(throws: WireError.unknownValue(field: field, value: 0)) {
                try WorkerMessage(decoding: bytes)
            }
        }
    }

    @Test(arguments: [Double.nan, .infinity, -1, 1e300])
    func `a rate or a span of time that cannot be counted is refused`(number: Double) {
        for (bytes, field) in [(vote(rate: number), "link"), (vote(delay: number), "seconds")] {
            #expect(throws: WireError.unknownValue(field: field, value: 0)) {
                try WorkerMessage(decoding: bytes)
            }
        }
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
        writer.put(UInt32(2))
        writer.append([0xFF, 0xFE])
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
