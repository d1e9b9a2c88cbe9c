import Text

/// Where a coordinator gets its batches: a function of the step alone.
package protocol BatchSource: Sendable {
    /// The batch of a step, counted from 1.
    func batch(step: Int) -> Batch
    /// The held-out part, cut like the training part.
    var heldOut: [Batch] { get }
    /// Where a sample stands; nil for one that was made up.
    func place(ofSample sample: Int) -> Place?
}

/// A corpus under a seed, with its held-out part.
package struct CorpusBatches: BatchSource {
    let schedule: BatchSchedule
    package let heldOut: [Batch]

    package init(schedule: BatchSchedule, heldOut: [Batch]) {
        self.schedule = schedule
        self.heldOut = heldOut
    }

    package func batch(step: Int) -> Batch { schedule.batch(step: step) }

    package func place(ofSample sample: Int) -> Place? {
        schedule.corpus.places.indices.contains(sample) ? schedule.corpus.places[sample] : nil
    }
}

/// Random sentences of one length.
extension SyntheticBatches: BatchSource {
    package var heldOut: [Batch] { [] }
    package func place(ofSample sample: Int) -> Place? { nil }
}
