import Checkpoint
import Coordination
import Messaging
import Preparation
import Settings
import Text
import Threads

/// What happens in a run, as its observers are told. No secret is among it.
package enum RunReport: Sendable {
    case prepared(RunSummary)
    /// The run was begun by a version that kept nothing by which to know its text again.
    case textUnchecked
    case listening(Listening)
    case note(CoordinatorNote)
    case step(StepReport)
    /// What the run, its members and its peers were at: once a step, and when the run is at something
    /// else.
    case phases([PhaseSpan])
    case validated(ValidationResult)
    case checkpoint(SavedCheckpoint)
    case checkpointFailed(FailedCheckpoint)
    /// Training pauses until the ledger can be written again.
    case ledgerFailed(CheckpointError)
    case ledgerRecovered(seconds: Double)
    /// The ledger's lines are written, but the disk does not say that it has them.
    case ledgerNotDurable(CheckpointError)
    /// What the run's folder lacked when the run was taken up again.
    case repaired(Repair)
    /// The link to the newest run could not be made.
    case notLinked(CheckpointError)
    case workerStarted(StartedWorker)
    case workerEnded(EndedWorker)
    case timeIsUp(step: Int)
    case turnedAway(Stranger)
    case nonFinite(NonFiniteShard)
    /// What SIGUSR1 asks for.
    case dump(StateDump)
    /// The run is over.
    case ended(Ending)
    /// An observer was too slow.
    case lost(LostEvents)
}

/// A run before its first step.
package struct RunSummary: Codable, Sendable {
    /// The run folder's path.
    package var folder: String
    /// The step of the checkpoint that it goes on from; nil for a new run.
    package var resumedFrom: Int?
    /// Counts of what became of the text.
    package var text: TextFacts
    /// Number of pieces of the tokenizer.
    package var vocabulary: Int
    /// Number of elements of θ.
    package var parameters: Int
    /// Steps in which the text is seen once.
    package var batchesPerEpoch: Int
    /// The last step; the largest Int32 where none is known.
    package var steps: Int
    /// Workers that it begins with.
    package var workers: Int

    /// Makes a summary of all its parts.
    package init(
        folder: String, resumedFrom: Int?, text: TextFacts, vocabulary: Int, parameters: Int,
        batchesPerEpoch: Int, steps: Int, workers: Int
    ) {
        self.folder = folder
        self.resumedFrom = resumedFrom
        self.text = text
        self.vocabulary = vocabulary
        self.parameters = parameters
        self.batchesPerEpoch = batchesPerEpoch
        self.steps = steps
        self.workers = workers
    }

    enum CodingKeys: String, CodingKey {
        case folder, text, vocabulary, parameters, steps, workers
        case resumedFrom = "resumed_from"
        case batchesPerEpoch = "batches_per_epoch"
    }
}

/// Where workers find the coordinator.
package struct Listening: Codable, Hashable, Sendable {
    /// The address to connect to.
    package var address: Address
    /// Everything is plain text: there is no token.
    package var isPlain: Bool

    /// Makes one of its parts.
    package init(_ address: Address, isPlain: Bool) {
        self.address = address
        self.isPlain = isPlain
    }

    enum CodingKeys: String, CodingKey {
        case address
        case isPlain = "plain"
    }
}

/// A step that has been committed.
package struct StepReport: Sendable, Hashable, Codable {
    /// The step, counted from 1.
    package var step: Int
    /// The pass over the text, counted from 1.
    package var epoch: Int
    /// Mean over the labels of the smoothed loss, in nats: what is minimised.
    package var loss: Double
    /// Mean over the labels of -log p, in nats.
    package var negativeLogLikelihood: Double
    /// The rate that the schedule gives the step.
    package var learningRate: Double
    /// Euclidean norm of the whole gradient, before clipping.
    package var gradientNorm: Double
    /// Tokens of the batch, source and target.
    package var tokens: Int
    /// Those tokens by the seconds of the step.
    package var tokensPerSecond: Double
    /// Seconds from the order to the commit.
    package var stepSeconds: Double
    /// Seconds of computing, as a mean over the members.
    package var computeSeconds: Double
    /// Seconds of folding, likewise.
    package var foldSeconds: Double
    /// Seconds from the end of computing to the whole total, likewise.
    package var waitSeconds: Double
    /// Members of the ring.
    package var workers: Int
    /// The gradient was not finite: the step changed nothing.
    package var isSkipped: Bool
    /// At every `--log-layers-every`-th step.
    package var layers: [LayerReport]?

    /// Makes a report; tokens a second follow from its times.
    package init(
        step: Int, epoch: Int, loss: Double, negativeLogLikelihood: Double, learningRate: Double,
        gradientNorm: Double, tokens: Int, timing: StepTiming, workers: Int, isSkipped: Bool,
        layers: [LayerReport]? = nil
    ) {
        self.step = step
        self.epoch = epoch
        self.loss = loss
        self.negativeLogLikelihood = negativeLogLikelihood
        self.learningRate = learningRate
        self.gradientNorm = gradientNorm
        self.tokens = tokens
        tokensPerSecond = Double(tokens) / max(timing.step, 1e-9)
        stepSeconds = timing.step
        computeSeconds = timing.compute
        foldSeconds = timing.fold
        waitSeconds = timing.wait
        self.workers = workers
        self.isSkipped = isSkipped
        self.layers = layers
    }

    enum CodingKeys: String, CodingKey {
        case step, epoch, loss, tokens, workers, layers
        case negativeLogLikelihood = "nll"
        case learningRate = "learning_rate"
        case gradientNorm = "gradient_norm"
        case tokensPerSecond = "tokens_per_s"
        case stepSeconds = "step_s"
        case computeSeconds = "compute_s"
        case foldSeconds = "fold_s"
        case waitSeconds = "wait_s"
        case isSkipped = "skipped"
    }
}

/// A checkpoint that is whole on the disk.
package struct SavedCheckpoint: Codable, Hashable, Sendable {
    /// The last step that it holds.
    package var step: Int
    /// The path of its folder.
    package var path: String
    /// SHA-256 of its parameters.
    package var digest: String

    /// Makes one of its parts.
    package init(step: Int, path: String, digest: String) {
        self.step = step
        self.path = path
        self.digest = digest
    }
}

/// A checkpoint that could not be written.
package struct FailedCheckpoint: Codable, Equatable, Sendable {
    /// The step that it was to hold.
    package var step: Int
    /// The reason.
    package var error: CheckpointError

    /// Makes one of its parts.
    package init(step: Int, _ error: CheckpointError) {
        self.step = step
        self.error = error
    }
}

/// A process of the run's own that has been started as a worker.
package struct StartedWorker: Codable, Hashable, Sendable {
    /// Among the run's own, from 0.
    package var index: Int
    /// The id of its process.
    package var processID: Int32
    /// The path of its log.
    package var log: String

    /// Makes one of its parts.
    package init(index: Int, processID: Int32, log: String) {
        self.index = index
        self.processID = processID
        self.log = log
    }

    enum CodingKeys: String, CodingKey {
        case index, log
        case processID = "pid"
    }
}

/// The same that has ended before the run; another is started in its place.
package struct EndedWorker: Codable, Hashable, Sendable {
    /// Among the run's own, from 0.
    package var index: Int
    /// The id of its process.
    package var processID: Int32
    /// The way in which it ended.
    package var status: ExitStatus

    /// Makes one of its parts.
    package init(index: Int, processID: Int32, status: ExitStatus) {
        self.index = index
        self.processID = processID
        self.status = status
    }

    enum CodingKeys: String, CodingKey {
        case index, status
        case processID = "pid"
    }
}

/// A connection that was not let in.
package struct Stranger: Codable, Hashable, Sendable {
    /// A numeric address; empty if that is not known.
    package var host: String
    /// The reason.
    package var reason: HandshakeFailure
    /// So many more since this was last reported.
    package var more: Int

    /// Makes one of its parts.
    package init(host: String, _ reason: HandshakeFailure, more: Int) {
        self.host = host
        self.reason = reason
        self.more = more
    }
}

/// A shard whose gradient is not finite.
package struct NonFiniteShard: Codable, Hashable, Sendable {
    /// The step, counted from 1.
    package var step: Int
    /// The shard's index in the batch.
    package var shard: Int
    /// Its samples by their number in the ledger.
    package var samples: [Int]
    /// Where they stand, if they are lines of files.
    package var places: [Place]

    /// Makes one of its parts.
    package init(step: Int, shard: Int, samples: [Int], places: [Place]) {
        self.step = step
        self.shard = shard
        self.samples = samples
        self.places = places
    }
}

/// The state machine in a line, and how the run stands.
package struct StateDump: Codable, Hashable, Sendable {
    /// The state machine in a line.
    package var brief: String
    /// The run and its workers.
    package var status: RunStatus

    /// Makes one of its parts.
    package init(_ brief: String, _ status: RunStatus) {
        self.brief = brief
        self.status = status
    }
}

/// How a run ended.
package struct Ending: Codable, Hashable, Sendable {
    /// Nil where what the system refused ended it.
    package var outcome: Outcome?
    /// The last committed step.
    package var step: Int

    /// Makes an ending.
    package init(_ outcome: Outcome?, step: Int) {
        self.outcome = outcome
        self.step = step
    }
}

/// Events that did not reach an observer, because it was too slow.
package struct LostEvents: Codable, Hashable, Sendable {
    /// Which one.
    package var observer: String
    /// How many one after another.
    package var count: Int

    /// Makes a count.
    package init(observer: String, count: Int) {
        self.observer = observer
        self.count = count
    }
}
