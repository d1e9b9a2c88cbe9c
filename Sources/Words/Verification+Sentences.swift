import Foundation
import Inference

package func sentence(of result: Verification.Result, _ folder: String) -> String {
    var text = "\(folder): \(result.steps.thatAgree), recomputed from "
    text += "\(sentence(of: result.start)) in "
    text += result.seconds < 10 ? "\(fixed(result.seconds, 1)) s" : span(result.seconds)
    if result.skipped > 0 { text += "; \(result.skipped) skipped there and here" }
    if let count = result.gaveUpAfter {
        text += "; the run ended there since the last \(count) were"
    }
    if !result.checkpoints.isEmpty {
        let steps = result.checkpoints.map(String.init).joined(separator: ", ")
        text +=
            "; so \(result.checkpoints.count == 1 ? "does the checkpoint" : "do the checkpoints")"
            + " of \(steps)"
    }
    return text
}

package func sentence(of start: Verification.Start) -> String {
    switch start {
    case .seed: "the seed"
    case .warmStart: "the run that it started from"
    case .checkpoint(let path): shown(path)
    }
}

package func sentence(
    of difference: Verification.Difference, in result: Verification.Result, of folder: String
) -> String {
    let step = difference.step
    let (recorded, recomputed) = (difference.recorded, difference.recomputed)
    let agreed =
        step > result.steps.lowerBound
        ? (result.steps.lowerBound...step - 1).thatAgree
        : "it is the first one after \(sentence(of: result.start))"
    let file = "\(folder)/ledger.jsonl"
    switch difference.subject {
    case .samples:
        return "step \(step) has other samples in \(file) (\(recorded)) than the text gives "
            + "(\(recomputed)): the text has changed or the line has; \(agreed)"
    case .damaged(let error):
        return "step \(step): \(Failure(error).cause); the steps up to it agree"
    case .checkpoint(let path):
        return "step \(step) differs in \(shown(path)) (\(recorded)) from what was recomputed "
            + "(\(recomputed)); its line in the ledger agrees"
    default:
        return "step \(step) differs in \(difference.subject.name): \(recorded) in \(file), "
            + "\(recomputed) here; \(agreed)"
    }
}

extension Verification.Difference.Subject {
    /// What differs, in words.
    package var name: String {
        switch self {
        case .samples: "samples"
        case .labels: "labels"
        case .state: "the state before it"
        case .verdict: "the verdict"
        case .loss: "the loss"
        case .total: "the total gradient"
        case .checkpoint, .damaged: "checkpoint"
        }
    }
}

extension ClosedRange<Int> {
    fileprivate var thatAgree: String {
        lowerBound == upperBound
            ? "step \(lowerBound) agrees" : "steps \(lowerBound)..\(upperBound) agree"
    }
}
