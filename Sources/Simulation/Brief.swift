import Coordination
import Wire

extension WorkerMessage {
    /// A few words for a trace.
    package var brief: String {
        switch self {
        case .hello(let hello): "hello \(hello.processID)"
        case .prepared(let holds, let folded):
            "prepared holds \(holds.map(String.init) ?? "nothing")"
                + (folded.map { ", folded \($0.step)" } ?? "")
        case .stateReady(let step): "state ready \(step)"
        case .formed(let generation): "formed \(generation)"
        case .voted(let vote):
            "vote \(vote.generation) step \(vote.step) on shards \(brief(vote.reports))"
        case .evaluated(let evaluation): "evaluated \(evaluation.step) batch \(evaluation.batch)"
        case .heartbeat(let heartbeat):
            "heartbeat \(heartbeat.phase) \(heartbeat.step) progress \(heartbeat.progress)"
        case .slice(let slice): "slice \(slice.step) \(slice.section) \(slice.offset)"
        case .sliceTaken(let step, let position): "slice taken \(step) up to \(position)"
        case .ringBroken(let generation, let reason): "ring \(generation) broken: \(reason)"
        case .leaving(let reason): "leaving: \(reason)"
        }
    }

    private func brief(_ reports: [ShardReport]) -> String {
        reports.map { String($0.shard) }.joined(separator: " ")
    }
}

extension CoordinatorMessage {
    /// A few words for a trace.
    package var brief: String {
        switch self {
        case .welcome(let welcome): "welcome \(welcome.name)"
        case .refused(let refusal): "refused \(refusal)"
        case .initialise: "initialise"
        case .slice(let slice): "slice \(slice.step) \(slice.section) \(slice.offset)"
        case .snapshot(let step): "give the state of \(step)"
        case .sliceTaken(let step, let position): "slice taken \(step) up to \(position)"
        case .abandonSnapshot(let step): "give no more of \(step)"
        case .roster(let roster):
            "roster \(roster.generation) after \(roster.committed): "
                + "\(roster.names[roster.rank]) of \(roster.names.joined(separator: " ")), "
                + "shards \(roster.bounds[roster.rank])..<\(roster.bounds[roster.rank + 1])"
        case .step(let order):
            "step \(order.step) in \(order.generation) on "
                + order.shards.map { String($0.shard) }.joined(separator: " ")
        case .commit(let commit): "commit \(commit.step)\(commit.skipped ? " skipped" : "")"
        case .evaluate(let order): "evaluate \(order.step) batch \(order.batch)"
        case .heartbeat: "heartbeat"
        case .sayHello: "say hello"
        case .finish(let reason): "finish: \(reason)"
        }
    }
}
