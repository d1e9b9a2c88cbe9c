import Coordination
import Foundation

extension Failure {
    /// What a run ended with that is no success; nil where it is one.
    ///
    /// - Parameter folder: where the run lies, as it is to be shown.
    package init?(ended outcome: Outcome, in folder: String, _ advice: Advice) {
        switch outcome {
        case .finished, .stopped: return nil
        case .nonFinite(let step, let shards):
            self.init(
                .other,
                "step \(step) is not finite in \(Words.sentence(ofShards: shards)): "
                    + "\(advice.resuming((.onNaN, "skip"))) leaves such steps out, "
                    + "\(advice.beginning((.learningRate, advice.lowerRate))) begins anew with a lower rate"
            )
        case .gaveUp(let step, let skipped):
            self.init(
                .other,
                "\(skipped) steps up to step \(step) were skipped one after another, since none of "
                    + "their gradients is finite: the run ends, "
                    + "\(advice.beginning((.learningRate, advice.lowerRate))) begins anew with a lower rate"
            )
        case .parametersNotFinite(let step):
            self.init(
                .other,
                "the parameters after step \(step) are not finite and are not saved: "
                    + "\(advice.beginning((.learningRate, advice.lowerRate))) begins anew with a lower rate"
            )
        case .disagreement(let step, let workers):
            self.init(
                .other,
                "the workers \(workers.joined(separator: ", ")) do not agree on step \(step): "
                    + "check their hosts' memory, then \(advice.resuming()) goes on")
        case .recordFailed(let step), .checkpointFailed(let step):
            self.init(
                .io,
                "step \(step) could not be saved in \(folder): make room there, then "
                    + "\(advice.resuming()) goes on")
        }
    }
}
