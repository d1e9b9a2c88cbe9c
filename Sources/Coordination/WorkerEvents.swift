import Parameters
import Wire

/// An event that a worker's session is told of.
package enum WorkerEvent: Sendable {
    case received(CoordinatorMessage)
    /// The control connection broke, or its bytes made no sense.
    case disconnected
    /// The model of the welcome is built and its memory taken.
    case built
    case buildFailed(reason: String)
    /// θ has been drawn from the run's seed; the digest is that of the state before step 1.
    case initialised(FastDigest)
    /// The gradients of all own shards are there; the fold waits for others from here on.
    case computed(step: Int)
    /// A state that was sent, in slices or in pieces, is whole.
    case stateStored(HeldState)
    /// The worker has this to tell. It is passed on unless it has come too late.
    case reports(WorkerMessage)
    /// An order carried words that the model cannot take.
    case orderUnfit(reason: String)
    case tick(WorkProgress)
    case stopRequested
}

/// The progress of a worker, for its heartbeats.
package struct WorkProgress: Hashable, Sendable {
    /// Grows while it gets on.
    package var count: UInt64
    /// Chunks of the gradient whose total is known.
    package var slice: Int
    /// Number of chunks of the gradient; 0 without a fold.
    package var slices: Int
    /// The reason that its fold does not go on, as Ring's `FoldWait` names it; empty without a
    /// fold.
    package var waitingFor: String

    /// Makes a progress of its parts, by default outside a fold.
    package init(count: UInt64, slice: Int = 0, slices: Int = 0, waitingFor: String = "") {
        self.count = count
        self.slice = slice
        self.slices = slices
        self.waitingFor = waitingFor
    }

    /// The progress in a line, for traces.
    package var brief: String {
        "slice \(slice) of \(slices), waits for \(waitingFor.isEmpty ? "nothing" : waitingFor), "
            + "progress \(count)"
    }
}

/// An order to the shell around a worker's session, carried out in turn.
package enum WorkerAction: Equatable, Sendable {
    case send(WorkerMessage)
    /// Connect anew, under a new identity, and say hello.
    case reconnect
    /// Carry out what the coordinator has ordered. `held`: the step of the whole state that was in
    /// memory when it came.
    case obey(CoordinatorMessage, held: Int?)
    /// Forget the step that is being folded.
    case abandonStep
    case update(step: Int, skipped: Bool)
    /// Stream the copy of the state no further.
    case abandonCapture
    case note(WorkerNote)
    case leave(WorkerOutcome)
}

/// News that a worker's log tells.
package enum WorkerNote: Hashable, Sendable {
    case welcomed(name: String, run: UInt64)
    case coordinatorSilent(milliseconds: Int64)
    case coordinatorLost
    case formed(Generation, rank: Int, members: Int, shards: Range<Int>)
    case ignored(String)
}

/// The way in which a worker's process ends.
package enum WorkerOutcome: Hashable, Sendable {
    case finished(reason: String)
    case refused(Refusal)
    case stopped
    case unfit(reason: String)
}
