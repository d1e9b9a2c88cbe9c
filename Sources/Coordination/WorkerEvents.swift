import Wire

/// What can happen to a worker.
package enum WorkerEvent: Sendable {
    case received(CoordinatorMessage)
    /// The control connection broke, or its bytes made no sense.
    case disconnected
    /// The model of the welcome is built and its memory taken.
    case built
    case buildFailed(reason: String)
    /// θ has been drawn from the run's seed.
    case initialised
    /// The gradients of all own shards are there; the fold waits for others from here on.
    case computed(step: Int)
    /// The last slice of the state of `step` has been stored.
    case stateStored(step: Int)
    case ringFormed(Generation)
    case ringBroken(Generation, reason: String)
    case folded(Vote)
    case updated(step: Int)
    case evaluated(Evaluation)
    /// An order carried words that the model cannot take.
    case orderUnfit(reason: String)
    case tick(progress: UInt64, waitingFor: String)
    case stopRequested
}

/// What a worker wants done, in this order.
package enum WorkerAction: Equatable, Sendable {
    case send(WorkerMessage)
    /// Connect anew, under a new identity, and say hello.
    case reconnect
    case build(Welcome)
    case initialise
    case store(StateSlice)
    case formRing(Roster)
    case compute(StepOrder)
    /// Forget the step that is being folded.
    case abandonStep
    case update(step: Int, skipped: Bool)
    /// Copy θ, m, v and stream the copy.
    case capture(step: Int)
    case moreSlices(step: Int, position: Int)
    case abandonCapture
    case evaluate(EvaluationOrder)
    case note(WorkerNote)
    case leave(WorkerOutcome)
}

package enum WorkerNote: Hashable, Sendable {
    case welcomed(name: String, run: UInt64)
    case coordinatorSilent(milliseconds: Int64)
    case coordinatorLost
    case formed(Generation, rank: Int, members: Int, shards: Range<Int>)
    case ignored(String)
}

package enum WorkerOutcome: Hashable, Sendable {
    case finished(reason: String)
    case refused(Refusal)
    case stopped
    case unfit(reason: String)
}
