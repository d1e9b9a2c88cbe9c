import Checkpoint
import Coordination
import Messaging
import Preparation
import Settings
import Text
import Threads

/// What a coordinator tells whoever started it, as it happens.
package enum RunReport: Sendable {
    case prepared(RunSummary)
    /// The run was begun by a version that kept nothing by which to know its text again.
    case textUnchecked
    /// `token` is nil where all is plain text.
    case listening(Address, token: Token?)
    case note(CoordinatorNote)
    case step(StepReport)
    case validated(ValidationResult)
    case checkpoint(step: Int, path: String, digest: String)
    case checkpointFailed(step: Int, CheckpointError)
    /// Training pauses until the ledger can be written again.
    case ledgerFailed(CheckpointError)
    case ledgerRecovered(seconds: Double)
    /// The ledger's lines are written, but the disk does not say that it has them.
    case ledgerNotDurable(CheckpointError)
    /// What the run's folder lacked when the run was taken up again.
    case repaired(Repair)
    /// The link to the newest run could not be made.
    case notLinked(CheckpointError)
    case workerStarted(index: Int, processID: Int32, log: String)
    case workerEnded(index: Int, processID: Int32, status: ExitStatus)
    case timeIsUp(step: Int)
    /// A connection from a numeric address (empty if that is not known) was not let in, and so many
    /// more since this was last reported.
    case turnedAway(host: String, HandshakeFailure, more: Int)
    /// The samples of shards whose gradient is not finite, by their number in the ledger.
    case nonFinite(step: Int, shard: Int, samples: [Int], places: [Place])
    /// What SIGUSR1 asks for: the state machine in a line, and how the run stands.
    case dump(String, RunStatus)
}

/// A run before its first step.
package struct RunSummary: Sendable {
    package var folder: String
    package var resumedFrom: Int?
    package var text: TextFacts
    package var vocabulary: Int
    package var parameters: Int
    package var batchesPerEpoch: Int
    package var steps: Int
    package var workers: Int
}

/// A step that has been committed.
package struct StepReport: Sendable, Encodable {
    package var step: Int
    package var epoch: Int
    /// Mean over the labels of the smoothed loss, in nats: what is minimised.
    package var loss: Double
    /// Mean over the labels of -log p, in nats.
    package var negativeLogLikelihood: Double
    package var learningRate: Double
    package var gradientNorm: Double
    package var tokens: Int
    package var tokensPerSecond: Double
    package var stepSeconds: Double
    package var computeSeconds: Double
    package var foldSeconds: Double
    package var waitSeconds: Double
    package var workers: Int
    package var isSkipped: Bool
    /// At every `--log-layers-every`-th step.
    package var layers: [LayerReport]?

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
