import Parameters
import Wire

/// An event that a coordinator is told of.
package enum CoordinatorEvent: Sendable {
    case received(PeerID, WorkerMessage)
    /// The peer sent something that is no message of this protocol.
    case nonsense(PeerID, WireError)
    case disconnected(PeerID)
    case tick
    /// The slice that ends at `position` of the snapshot of `step` is in the checkpoint's file.
    case sliceWritten(step: Int, position: Int)
    /// All lines of the ledger up to that of `step` are on disk.
    case ledgerSynchronized(step: Int)
    /// A checkpoint of `step` is whole and named on disk.
    case checkpointWritten(step: Int)
    case checkpointFailed(step: Int)
    /// Parameters that are not finite were to be written: nothing is.
    case checkpointNotFinite(step: Int)
    /// The ledger did not take the line of `step` and will not: it must not be committed.
    case recordFailed(step: Int)
    /// The ledger cannot be written: orders behind a line wait until it can.
    case ledgerFails
    /// The orders that waited have been carried out.
    case ledgerWorks
    /// Save and end: the first Ctrl-C, SIGTERM, a time limit.
    case stopRequested
    /// The run has another token from now on; the old one admits nobody any more.
    case tokenChanged(String)
}

/// An order to the shell around a coordinator, carried out in turn.
package enum CoordinatorAction: Equatable, Sendable {
    case send(PeerID, CoordinatorMessage)
    /// Send the tokens of `shards` of step `step`'s batch.
    case sendStep(PeerID, generation: Generation, step: Int, shards: Range<Int>)
    /// Send the tokens of `shards` of held-out batch `batch`.
    case sendEvaluation(PeerID, step: Int, batch: Int, shards: Range<Int>)
    /// Write the step's ledger line; what is behind it waits until that has been done.
    case record(CommittedStep)
    /// Write a line that the ledger has lost and a worker has kept; it was committed before.
    case adopt(CommittedLine)
    case validated(ValidationResult)
    /// Stream the checkpoint of `step` to the peers.
    case deliverCheckpoint(step: Int, to: [PeerID])
    /// Stop streaming the checkpoint to the peer.
    case endDelivery(PeerID)
    /// Append a slice to the checkpoint of its step; the one that begins θ begins the checkpoint.
    case write(StateSlice, position: Int)
    /// All slices are written: make the checkpoint of `step` durable and give it its name.
    case commitCheckpoint(step: Int)
    case abandonCheckpoint(step: Int)
    case forget(PeerID)
    /// Break every connection but those of the peers: they were made with the old token.
    case admitOnly([PeerID])
    case note(CoordinatorNote)
    /// What the run, its members and its peers were at since this was said last.
    case phases([PhaseSpan])
    case finish(Outcome)
}

extension CoordinatorAction {
    /// Whether the action may be carried out before a line that the ledger has not taken yet.
    package var mayOvertake: Bool {
        switch self {
        case .send(_, .heartbeat), .note, .phases: true
        default: false
        }
    }
}

/// A step that all members agree on.
package struct CommittedStep: Hashable, Sendable {
    /// The ring that folded it.
    package var generation: Generation
    /// The step, counted from 1.
    package var step: Int
    /// Digest of the folded gradient, the same at every member.
    package var total: FastDigest
    /// Digest of θ, m, v before the step's update.
    package var state: FastDigest
    /// Losses and label counts of all shards, in shard order.
    package var reports: [ShardReport]
    /// L2 norm of the folded gradient, before it is clipped.
    package var gradientNorm: Double
    /// Squared norm of each layer's gradient, if that was measured.
    package var layerNorms: [Double]
    /// Whether the step changed nothing, because its numbers were not finite.
    package var skipped: Bool
    /// The time that it took.
    package var timing: StepTiming
    /// Number of members that folded it.
    package var workers: Int
}

/// The time that a step took, as means over the members, in seconds.
package struct StepTiming: Hashable, Sendable {
    /// Seconds from the order to the last vote, on the coordinator's clock.
    package var step: Double
    /// Seconds from the order until a member's own gradients were complete.
    package var compute: Double
    /// Adding and moving chunks.
    package var fold: Double
    /// Seconds from the end of a member's own gradients to the whole total.
    package var wait: Double

    /// Makes a timing of its parts.
    package init(step: Double, compute: Double, fold: Double, wait: Double) {
        self.step = step
        self.compute = compute
        self.fold = fold
        self.wait = wait
    }
}

/// Losses of the held-out part, in nats per label.
package struct ValidationResult: Hashable, Codable, Sendable {
    /// The step after which the held-out part was tried.
    package var step: Int
    /// Mean smoothed loss, as training sees it.
    package var smoothed: Double
    /// Mean of −log p, from which perplexity is made.
    package var loss: Double
    /// Number of labels in the batches that were tried.
    package var labels: Int
}

/// How a run ended.
package enum Outcome: Hashable, Codable, Sendable {
    /// All steps are done.
    case finished(step: Int)
    /// Stopped on request; `saved` is the newest checkpoint's step.
    case stopped(step: Int, saved: Int?)
    case nonFinite(step: Int, shards: [Int])
    /// So many steps one after another were skipped, the last of them `step`.
    case gaveUp(step: Int, skipped: Int)
    /// The parameters behind `step` are not finite: they are not saved.
    case parametersNotFinite(step: Int)
    case disagreement(step: Int, workers: [String])
    case recordFailed(step: Int)
    case checkpointFailed(step: Int)
}

/// Things that a person would want to know.
package enum CoordinatorNote: Hashable, Codable, Sendable {
    case joined(name: String, host: String, processID: Int, threads: Int, waitingFor: Int)
    /// It can only connect outwards: its ring frames go through the coordinator.
    case relayed(name: String, host: String)
    case refused(host: String, processID: Int, Refusal)
    /// `phase`: what it was doing.
    case lost(name: String, host: String, reason: LossReason, step: Int, phase: String)
    case formed(Generation, members: [String], bounds: [Int])
    /// No worker is left; the run waits for some.
    case allGone(step: Int)
    /// Nobody holds the state of step `from` any more: steps are folded again.
    case goingBack(from: Int, to: Int)
    /// Steps that the ledger had lost and this worker has kept.
    case adopted(name: String, from: Int, to: Int)
    /// It takes the state from the members while they train on.
    case teaching(name: String, step: Int)
    /// A worker had folded the last step of the ledger, but not heard of its commit.
    case commitRepeated(name: String, step: Int)
    case checkpointRetried(step: Int, milliseconds: Int64)
    case restoring(names: [String], step: Int)
    /// The ring of the first broke; the others are the neighbours that the fault concerns.
    case ringBroken(NamedWorker, RingFault, [NamedWorker])
    /// Both are heard, but their ring links do not reach each other; the first is left out for a
    /// time.
    case leftOut(name: String, host: String, other: String, otherHost: String)
    /// The same, but a ring in another order does without that link.
    case linkAvoided(name: String, host: String, other: String, otherHost: String)
    /// That link between two hosts carries little; the ring goes another way, in this order of
    /// hosts. Rates in bytes a second.
    case detour(
        host: String, other: String, rate: Double, usual: Double, order: [String])
    /// Nothing has moved for longer than usual; these have work to do, or are all that wait.
    case awaiting(step: Int, [Awaited], milliseconds: Int64)
    /// This worker was the last to compute in so many of the last 50 steps. Medians over these: the
    /// time by which it was last, and the time of a whole step.
    case straggler(
        name: String, host: String, steps: Int, milliseconds: Int64, stepMilliseconds: Int64)
    /// The shards are cut from this step on by how long these take for one.
    /// Computing a step took `before`, and is to take `after` milliseconds.
    case balancing(step: Int, [ShardTime], before: Int64, after: Int64)
    /// Those who have come, and for how many more the run waits.
    case gathering(names: [String], missing: Int, milliseconds: Int64)
    case stalled(step: Int, waiting: [String], milliseconds: Int64)
    case stateDiffers(step: Int, names: [String])
    case totalsDiffer(step: Int, names: [String])
    case skipped(step: Int, shards: [Int])
    case stopping(step: Int)
    case nonsense(name: String, WireError)
    /// So many workers have the new token.
    case tokenChanged(workers: Int)

    // What the values without a label are called in JSON.
    enum RefusedCodingKeys: String, CodingKey {
        case host, processID
        case _2 = "refusal"
    }
    enum FormedCodingKeys: String, CodingKey {
        case _0 = "generation"
        case members, bounds
    }
    enum RingBrokenCodingKeys: String, CodingKey {
        case _0 = "worker"
        case _1 = "fault"
        case _2 = "neighbours"
    }
    enum AwaitingCodingKeys: String, CodingKey {
        case step, milliseconds
        case _1 = "workers"
    }
    enum BalancingCodingKeys: String, CodingKey {
        case step, before, after
        case _1 = "times"
    }
    enum NonsenseCodingKeys: String, CodingKey {
        case name
        case _1 = "error"
    }
}

/// Why a worker is no longer counted.
package enum LossReason: Hashable, Codable, Sendable {
    case connectionBroke
    case silent(milliseconds: Int64)
    /// It is heard, but has not got on with what it alone has to do.
    case stuck(milliseconds: Int64)
    /// The same process has come back on another connection.
    case reconnected
    case left(String)
    case spokeNonsense
    /// It did not answer when it was given the new token.
    case keptOldToken
}
