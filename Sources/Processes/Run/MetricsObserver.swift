import Checkpoint
import Coordination
import Events

/// Writes `metrics.jsonl`: a line for each step and for each look at the held-out part.
///
/// Nothing depends on the file, so what the disk does not take is left out.
final class MetricsObserver: RunObserver, @unchecked Sendable {
    let name = "metrics.jsonl"
    // Only on the observer's thread.
    private let file: MetricsFile

    init(_ file: MetricsFile) { self.file = file }

    func observe(_ event: RunEvent) {
        switch event.report {
        case .step(let step): try? file.append(step, step: step.step)
        case .validated(let result): try? file.append(ValidationLine(result))
        default: break
        }
    }
}

/// A line of `metrics.jsonl` about the held-out part.
private struct ValidationLine: Encodable {
    let step: Int
    let validationLoss: Double
    let validationSmoothedLoss: Double
    let labels: Int

    init(_ result: ValidationResult) {
        step = result.step
        validationLoss = result.loss
        validationSmoothedLoss = result.smoothed
        labels = result.labels
    }

    enum CodingKeys: String, CodingKey {
        case step, labels
        case validationLoss = "validation_loss"
        case validationSmoothedLoss = "validation_smoothed_loss"
    }
}
