import Checkpoint
import Exports
import Inference
import Measuring
import Messaging
import Model
import Processes
import Resources
import Settings
import Text
import Threads
import Wire

extension Failure {
    /// Turns whatever a command threw into its sentence.
    package init(thrown error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as ResourceError: self.init(error)
        case let error as POSIXFailure: self.init(error)
        case let error as ConfigurationError: self.init(error)
        case let error as InferenceError: self.init(error)
        case let error as ExportError: self.init(error)
        case let error as ImportError: self.init(error)
        case let error as TextError: self.init(error)
        case let error as CheckpointError: self.init(error)
        case let error as ModelError: self.init(error)
        case let error as MessagingError: self.init(error)
        case let error as NetworkChoices.Failure: self.init(error)
        case let error as ControlEndpoint.Failure: self.init(error)
        case let error as RunError: self.init(error)
        case let error as RunStore.Failure: self.init(error)
        case let error as Verification.Failure: self.init(error)
        case let error as WorkerError: self.init(error)
        case let error as CoordinatorCall.Failure: self.init(error)
        case let error as TokenError: self.init(error)
        case let error as AllReduceBenchmark.Failure: self.init(error)
        case let error as StepBenchmarkError: self.init(error)
        case let error as LocalWorkers.KeepsEnding: self.init(error)
        default: self.init(.other, "unexpected: \(plainWords(error))")
        }
    }
}
