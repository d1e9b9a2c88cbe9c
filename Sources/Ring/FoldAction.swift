/// An order to a `FoldStep` about numbers; the fold itself never sees them.
///
/// In a fold in place partials carry none: to park or pass on one is to note or say that gradients
/// are there, and to finish a chunk is to add those of all shards.
package enum FoldAction: Equatable, Sendable {
    /// The numbers that own gradients are added to.
    package enum Base: Sendable {
        /// Own gradients begin the sum.
        case nothing
        /// The frame at hand.
        case frame
        /// The chunk's place in the total vector, where it was parked.
        case parked
    }

    /// Copy the frame at hand to the chunk's place in the total vector, until it can be added to.
    case park(chunk: Int)
    /// Add own gradients to `base` and send the sum to the successor as a partial.
    case passOn(chunk: Int, base: Base)
    /// Add own gradients to `base` into the total vector; send it on as a total if `forward`.
    case finish(chunk: Int, base: Base, forward: Bool)
    /// Copy the frame at hand into the total vector; hand the frame on as it is if `forward`.
    case store(chunk: Int, forward: Bool)
    /// Send a chunk of the total vector on as a total.
    case forward(chunk: Int)
    /// Tell the predecessor how many of its frames were taken in this step.
    case grant(partials: Int, totals: Int)
    /// The total vector is whole and nothing is left to send. Comes once, last.
    case complete
}

/// The reason that a frame was not taken, though the link is sound.
package enum DropReason: String, Sendable, CaseIterable, Codable {
    /// Not a frame, or not a neighbour's: nothing is known about the sender.
    case foreign
    case otherRun
    case otherGeneration
    case staleStep
    case duplicate
    /// The frame came from the wrong side: a credit from the predecessor, a sum from the successor.
    case misdirected
}

/// A fault that no sound neighbour of this generation commits: the generation must be formed again.
package enum Violation: Error, Hashable, Sendable {
    case frame(FrameError)
    /// An encrypted record does not bear its seal: it was altered on its way.
    case altered
    /// A frame before this one is missing.
    case gap(chunk: Int, expected: Int)
    case chunk(Int, chunks: Int)
    case interval(ShardInterval, expected: ShardInterval)
    case elements(Int, expected: Int)
    /// A total of a chunk that this worker has not added to yet.
    case premature(chunk: Int)
    /// A partial for the worker that begins the sum, or a total for the one that completes it.
    case position(chunk: Int)
    /// Credit for more frames than were sent.
    case credit(Int, sent: Int)
    /// More frames of a later step than there are credits.
    case tooFarAhead(step: UInt64)
    /// A sum that is said to lie in memory which this worker does not map, or which ends before it.
    case elsewhere(chunk: Int)
}

/// The reason that a fold does not go on.
package enum FoldWait: String, Sendable, Codable {
    case nothing
    /// Own gradients are not computed down to the next chunk.
    case local
    /// The predecessor has not sent the next partial or total.
    case predecessor
    /// The successor has not taken what was sent.
    case successor
}
