import Coordination
import Foundation
import Preparation
import Processes
import Wire

extension CoordinatorNote {
    /// Something that is not as it should be.
    var isWarning: Bool {
        switch self {
        case .joined, .relayed, .formed, .restoring, .stopping, .commitRepeated, .adopted,
            .teaching, .balancing, .detour, .straggler, .gathering, .skipped:
            false
        default: true
        }
    }
}

/// One sentence for something that happened to a run.
package func sentence(of note: CoordinatorNote) -> String {
    switch note {
    case .joined(let name, let host, let processID, let threads, let waitingFor):
        let more = waitingFor > 0 ? ", waiting for \(waitingFor) more" : ""
        return "worker \(name) joined from \(host) (process \(processID), "
            + "\(threads) thread\(threads == 1 ? "" : "s"))\(more)"
    case .relayed(let name, let host):
        return "worker \(name) on \(host) can only connect outwards: its gradients go through this "
            + "coordinator (--relay), which is slower"
    case .refused(let host, let processID, let refusal):
        // Who speaks another protocol has not said who it is.
        let who = host.isEmpty ? "a worker" : "a worker on \(host) (process \(processID))"
        return "\(who) was refused: \(sentence(of: refusal))"
    case .lost(let name, let host, let reason, let step, let phase):
        return "worker \(name) on \(host) is gone after step \(step), while \(phase): "
            + sentence(of: reason)
    case .formed(let generation, let members, let bounds):
        let shards = zip(members, zip(bounds, bounds.dropFirst())).map {
            "\($0) has \($1.1 - $1.0)"
        }
        return "ring \(generation): \(shards.joined(separator: ", ")) of \(bounds.last ?? 0) shards"
    case .allGone(let step): return "all workers are gone after step \(step): waiting for some"
    case .goingBack(let from, let to):
        return "no worker holds the state of step \(from): going back to step \(to)"
    case .commitRepeated(let name, let step):
        return "worker \(name) had folded step \(step): told it that the step stands"
    case .adopted(let name, let from, let to):
        let steps = from == to ? "step \(from)" : "steps \(from) to \(to)"
        return "the ledger had lost \(steps): took them back from worker \(name)"
    case .teaching(let name, let step):
        return "worker \(name) takes the state of step \(step) from the others, who train on"
    case .checkpointRetried(let step, let milliseconds):
        return "the checkpoint of step \(step) was not written: training goes on, trying again in "
            + "\(fixed(Double(milliseconds) / 1000, 1)) s"
    case .restoring(let names, let step):
        return "sending the state of step \(step) to \(names.joined(separator: ", "))"
    case .ringBroken(let worker, let fault, let neighbours):
        return sentence(of: fault, by: worker, neighbours)
    case .leftOut(let name, let host, let other, let otherHost):
        return "worker \(name) on \(host) and worker \(other) on \(otherHost) are heard but do not "
            + "reach each other: \(name) is left out for a time, check the network between them"
    case .linkAvoided(let name, let host, let other, let otherHost):
        return "worker \(name) on \(host) and worker \(other) on \(otherHost) are heard but do not "
            + "reach each other: the ring goes around that link, check the network between them"
    case .detour(let host, let other, let carried, let usual, let order):
        return "the link from \(host) to \(other) carries \(rate(carried)), others "
            + "\(rate(usual)): the ring goes another way (\(order.joined(separator: ", ")))"
    case .awaiting(let step, let workers, let milliseconds):
        let whom = workers.map {
            "\($0.name) on \($0.host) (\($0.phase)"
                + ($0.waitingFor.isEmpty ? ")" : ", waits for \($0.waitingFor))")
        }
        return "step \(step) has been waiting for \(fixed(Double(milliseconds) / 1000, 1)) s for "
            + whom.joined(separator: ", ")
    case .straggler(let name, let host, let steps, let milliseconds, let step):
        return "the others waited for worker \(name) on \(host) in \(steps) of the last 50 steps, "
            + "for \(milliseconds) of a step's \(step) ms"
    case .balancing(let step, let times, let before, let after):
        let shown = times.map { "\($0.name) \($0.milliseconds) ms" }
        return "from step \(step) on the shards are cut by speed (a shard takes "
            + "\(shown.joined(separator: ", "))): computing is to take \(after) instead of "
            + "\(before) ms a step"
    case .gathering(let names, let missing, let milliseconds):
        let here = names.isEmpty ? "none has come" : "\(names.joined(separator: ", ")) came"
        return "the run has been waiting for \(missing) more worker\(missing == 1 ? "" : "s") for "
            + "\(milliseconds / 1000) s (\(here) so far)"
    case .stalled(let step, let waiting, let milliseconds):
        return "step \(step) has not moved for \(milliseconds / 1000) s, waiting for "
            + "\(waiting.joined(separator: ", ")): forming the ring anew"
    case .stateDiffers(let step, let names):
        return "before step \(step) the parameters of \(names.joined(separator: ", ")) differ "
            + "from the others': they take the state anew"
    case .totalsDiffer(let step, let names):
        return "step \(step): \(names.joined(separator: ", ")) folded another gradient than the "
            + "others: folding again"
    case .skipped(let step, let shards):
        return
            "step \(step) is skipped: the gradient of \(sentence(ofShards: shards)) is not finite"
    case .stopping(let step):
        return "stopping after step \(step): saving (once more Ctrl-C ends at once)"
    case .tokenChanged(let workers):
        return
            "the token has been changed: \(workers) worker\(workers == 1 ? " has" : "s have") the "
            + "new one, nobody else is let in with the old"
    case .nonsense(let name, let error):
        return
            "worker \(name) sent something that is no message of this protocol (\(plainWords(error)))"
    }
}

/// What `--insecure` means, said at every start.
package func plainTextWarning(_ ends: String) -> String {
    "INSECURE: all between \(ends) is plain text, anybody on the network can read and alter it"
}

package func sentence(ofShards shards: [Int]) -> String {
    switch shards.count {
    case 0: "the whole batch"
    case 1: "shard \(shards[0])"
    default: "shards \(shards.map(String.init).joined(separator: ", "))"
    }
}

package func sentence(of reason: LossReason) -> String {
    switch reason {
    case .connectionBroke: "its connection broke"
    case .silent(let milliseconds):
        "it has not been heard for \(fixed(Double(milliseconds) / 1000, 1)) s"
    case .stuck(let milliseconds):
        "it is heard, but has not got on for \(fixed(Double(milliseconds) / 1000, 1)) s"
    case .reconnected: "it has come back on another connection"
    case .left(let reason): reason
    case .spokeNonsense: "what it sent made no sense"
    case .keptOldToken: "it did not take the new token"
    }
}

package func sentence(of refusal: Refusal) -> String {
    switch refusal {
    case .version(let theirs, let ours):
        "it is \(theirs), the coordinator \(ours): start both from the same build"
    case .arithmetic(let theirs, let ours):
        "its processor (kernel \(theirs)) computes other bits than the run's (kernel \(ours)): "
            + "leave it out"
    case .full(let limit): "there are \(limit) workers already"
    case .finished: "the run is finished"
    }
}

package func sentence(of hindrance: Hindrance) -> String {
    switch hindrance {
    case .unknownHost(let name, let reason): "'\(name)' leads to no address (\(reason))"
    case .noRoute(let address): "this host has no route to \(address)"
    case .silence: "somebody listens there and says nothing"
    case .noTokenFile(let path): "\(path), which is to hold the token, is not there"
    }
}

package func sentence(of note: WorkerNote) -> String {
    switch note {
    case .welcomed(let name, _): "the coordinator calls this worker \(name)"
    case .coordinatorSilent(let milliseconds):
        "the coordinator has not been heard for \(fixed(Double(milliseconds) / 1000, 1)) s"
    case .coordinatorLost: "the connection to the coordinator is lost, trying again"
    case .formed(let generation, let rank, let members, let shards):
        "ring \(generation): place \(rank + 1) of \(members), "
            + "shards \(shards.lowerBound) to \(shards.upperBound - 1)"
    case .ignored(let what): "ignored \(what)"
    }
}

package func sentence(of alarm: LayerAlarm) -> String {
    func short(_ number: Double) -> String {
        number.isNaN ? "no number" : number.isInfinite ? "infinite" : String(format: "%.1e", number)
    }
    let others = alarm.others == 0 ? "" : " (and \(alarm.others) more)"
    return switch alarm.kind {
    case .vanishing:
        "the gradient vanishes in \(alarm.layer)\(others), its norm \(short(alarm.value)) is less "
            + "than a thousandth of the largest layer's"
    case .exploding:
        "the gradient explodes in \(alarm.layer)\(others), its norm is \(short(alarm.value))"
    case .overflowing:
        "the activations explode in \(alarm.layer)\(others), their root mean square is "
            + short(alarm.value)
    }
}
