/// A training state in memory, as whoever wrote it vouches for it.
package struct HeldState: Hashable, Sendable {
    package var step: Int
    /// Digest of θ, m and v, taken when they were written.
    package var digest: WireDigest

    package init(step: Int, digest: WireDigest) {
        self.step = step
        self.digest = digest
    }
}

/// What a worker has in memory of a run.
package struct Holdings: Hashable, Sendable {
    package var state: HeldState?
    /// The step after `state`, if it is folded and voted on but its commit has not come.
    package var folded: FoldedStep?
    /// Committed steps that are not known to be on the coordinator's disk, in order.
    package var lines: [CommittedLine]

    package init(
        state: HeldState? = nil, folded: FoldedStep? = nil, lines: [CommittedLine] = []
    ) {
        self.state = state
        self.folded = folded
        self.lines = lines
    }
}

/// A line of the ledger, but for the samples, which follow from the step.
///
/// Members keep it until it is known to be on disk: a coordinator whose host lost power gets back
/// from them what it had committed.
package struct CommittedLine: Hashable, Sendable {
    package var generation: Generation
    package var step: Int
    /// Digest of the folded gradient.
    package var total: WireDigest
    /// Digest of θ, m and v before the step's update.
    package var state: WireDigest
    /// Mean over the batch's labels of the smoothed loss, in nats.
    package var loss: Double
    package var skipped: Bool

    package init(
        generation: Generation, step: Int, total: WireDigest, state: WireDigest, loss: Double,
        skipped: Bool
    ) {
        self.generation = generation
        self.step = step
        self.total = total
        self.state = state
        self.loss = loss
        self.skipped = skipped
    }
}

extension HeldState: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(UInt64(step))
        digest.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            step: try reader.count("step", limit: WireLimit.steps),
            digest: try WireDigest(from: &reader))
    }
}

extension Holdings: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(state != nil)
        state?.write(to: &writer)
        writer.put(folded != nil)
        folded?.write(to: &writer)
        writer.put(each: lines)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let state = try reader.bool("holds") ? try HeldState(from: &reader) : nil
        let folded = try reader.bool("has folded") ? try FoldedStep(from: &reader) : nil
        self.init(
            state: state, folded: folded,
            lines: try reader.each("lines", limit: WireLimit.lines, stride: 57))
    }
}

extension CommittedLine: WireCodable {
    func write(to writer: inout ByteWriter) {
        generation.write(to: &writer)
        writer.put(UInt64(step))
        total.write(to: &writer)
        state.write(to: &writer)
        writer.put(loss)
        writer.put(skipped)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            generation: try Generation(from: &reader),
            step: try reader.count("step", limit: WireLimit.steps),
            total: try WireDigest(from: &reader), state: try WireDigest(from: &reader),
            loss: try reader.double("loss"), skipped: try reader.bool("skipped"))
    }
}
