import Coordination
import Events
import Watching

extension Verdict {
    /// What a run is at, for the page and the terminal.
    ///
    /// - Parameters:
    ///   - folder: the run's.
    ///   - advice: what to type.
    package func sentence(in folder: String, _ advice: Advice) -> String {
        switch kind {
        case .unknown: "nothing has been told of this run yet"
        case .training(let rate, let left):
            "healthy, \(grouped(Int(rate.rounded()))) tokens/s"
                + (left.map { ", \(span($0)) left" } ?? "")
        case .slow(let step, let usual):
            "no news of step \(step), where a step takes \(fixed(usual, usual < 1 ? 2 : 1)) s"
        case .waits(let workers):
            "waits for "
                + workers.map { worker in
                    "\(worker.name) on \(worker.host): \(worker.phase)"
                        + (worker.waitingFor.isEmpty ? "" : ", waits for \(worker.waitingFor)")
                }.joined(separator: "; ")
        case .gathering(let names, let missing):
            "waits for \(missing) more worker\(missing == 1 ? "" : "s")"
                + (names.isEmpty ? "" : ", \(names.joined(separator: ", ")) came")
        case .starting: "starts: the ring is being formed"
        case .recovering(let lost):
            "recovers: \(lost.joined(separator: ", ")) "
                + "\(lost.count == 1 ? "is" : "are") gone, the others form a new ring"
        case .paused(let error): "paused: \(Failure(thrown: error).sentence)"
        case .ended(let ending): Self.sentence(of: ending, in: folder, advice)
        case .abandoned(let step):
            "the coordinator is gone after step \(step) without a word: "
                + "\(advice.resuming()) goes on"
        case .measured(let step):
            "measured up to step \(step); whether it still runs is not recorded"
        }
    }

    private static func sentence(
        of ending: Ending, in folder: String, _ advice: Advice
    ) -> String {
        switch ending.outcome {
        case .finished(let step): return "finished: \(grouped(step)) steps are done"
        case .stopped(let step, let saved):
            let place = saved.map { "saved at step \(grouped($0))" } ?? "nothing was to be saved"
            return "stopped after step \(grouped(step)), \(place): \(advice.resuming()) goes on"
        case let outcome?:
            return Failure(ended: outcome, in: shown(folder), advice)?.sentence
                ?? "ended after step \(grouped(ending.step))"
        case nil:
            return
                "ended after step \(grouped(ending.step)) by what the system refused: its log says what"
        }
    }
}
