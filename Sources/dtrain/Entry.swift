import Page
import Preparation
import Processes
import Ring
import Settings

/// What `train` and `coordinator` were asked.
struct RunRequest {
    var configuration: RunConfiguration
    let location: RunLocation
    let dryRun: Bool
    let quiet: Bool
    /// Nobody has asked for just so many pieces: the vocabulary may be smaller.
    let mayShrink: Bool
    /// Where the run's page listens; nil for none.
    var page: PageAddress?
    /// Write files for TensorBoard.
    var tensorboard = false
    /// A command of the user's to run when something happens.
    var onEvent: String?
    /// How the coordinator is found, and the rings of its own workers.
    var network = NetworkChoices()
}

/// What `worker` was asked.
struct WorkRequest {
    let coordinator: Address
    let access: Access
    let threads: Int?
    /// How long to retry a coordinator that does not answer.
    let wait: TimeSpan
    let quiet: Bool
    /// The process that started this one and shares its terminal.
    let parent: Int32?
    let network: NetworkChoices
}

/// What `bench step` was asked; the configuration has the model, the workers and the transport.
struct StepBenchRequest {
    let configuration: RunConfiguration
    /// Sequences a worker, and their length on both sides; nil with a corpus.
    let batch: Int
    let length: Int
    let steps: Int
    /// Real sentences, with words as tokens, instead of random ones.
    let corpus: String?
    /// Show where the time goes.
    let profile: Bool
    let json: Bool
}

/// What `bench all-reduce` was asked.
struct AllReduceBenchRequest {
    let workers: Int
    let bytes: [Int]
    let transport: Transport
    let collective: Collective
    /// Encrypt, as between hosts.
    let secure: Bool
    /// Nothing but ZeroMQ's connections over ipc and tcp.
    let onePort: Bool
    let json: Bool
}

/// What `verify` was asked.
struct VerifyRequest {
    let run: String
    let steps: ClosedRange<Int>?
    let text: GivenSettings
    let threads: Int
    let json: Bool
}

/// Where the commands meet the runtime.
enum Entry {}
