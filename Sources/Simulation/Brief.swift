import Coordination
import Wire

extension WorkerMessage {
    /// A few words for a trace.
    package var brief: String {
        switch self {
        case .hello(let hello): "hello \(hello.processID)"
        case .prepared(let holdings):
            "prepared holds \(holdings.state.map { String($0.step) } ?? "nothing")"
                + (holdings.folded.map { ", folded \($0.step)" } ?? "")
                + brief(holdings.lines)
        case .stateReady(let held, _): "state ready \(held.step)"
        case .updated(let update): "updated \(update.held.step)"
        case .captured(let held): "captured \(held.step)"
        case .piece(let piece): piece.brief
        case .pieceTaken(let offset): "piece taken \(offset)"
        case .formed(let generation): "formed \(generation)"
        case .voted(let vote):
            "vote \(vote.generation) step \(vote.step) on shards \(brief(vote.reports))"
        case .evaluated(let evaluation): "evaluated \(evaluation.step) batch \(evaluation.batch)"
        case .heartbeat(let heartbeat):
            "heartbeat \(heartbeat.phase) \(heartbeat.step) progress \(heartbeat.progress)"
        case .slice(let slice): "slice \(slice.step) \(slice.section) \(slice.offset)"
        case .sliceTaken(let step, let position): "slice taken \(step) up to \(position)"
        case .ringBroken(let generation, let fault): "ring \(generation) broken: \(fault)"
        case .leaving(let reason): "leaving: \(reason)"
        default: "\(self)"
        }
    }

    private func brief(_ lines: [CommittedLine]) -> String {
        guard let first = lines.first, let last = lines.last else { return "" }
        return ", lines \(first.step)...\(last.step)"
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
        case .slice(let slice): "slice \(slice.step) \(slice.section) \(slice.offset)"
        case .snapshot(let step): "give the state of \(step)"
        case .sliceTaken(let step, let position): "slice taken \(step) up to \(position)"
        case .abandonSnapshot(let step): "give no more of \(step)"
        case .proven(let step): "state \(step) is right"
        case .newState(let number): "new state \(number)"
        case .givePiece(let request): "give \(request.brief)"
        case .piece(let piece): piece.brief
        case .passStep(let step): "pass step \(step)"
        case .roster(let roster):
            "roster \(roster.generation) after \(roster.committed): "
                + "\(roster.names[roster.rank]) of \(roster.names.joined(separator: " ")), "
                + "shards \(roster.bounds[roster.rank])..<\(roster.bounds[roster.rank + 1])"
                + (roster.boards.isEmpty ? "" : ", summed in place")
        case .step(let order):
            "step \(order.step) in \(order.generation) on "
                + order.shards.map { String($0.shard) }.joined(separator: " ")
        case .commit(let commit):
            "commit \(commit.step)\(commit.line.skipped ? " skipped" : "")"
        case .evaluate(let order): "evaluate \(order.step) batch \(order.batch)"
        case .sayHello: "say hello"
        case .token: "token"
        case .finish(let reason): "finish: \(reason)"
        default: "\(self)"
        }
    }
}

extension PieceRequest {
    /// A few words for a trace.
    fileprivate var brief: String {
        switch subject {
        case .state: "piece \(offset) of the state"
        case .total(let step): "piece \(offset) of total \(step)"
        }
    }
}

extension StatePiece {
    /// A few words for a trace.
    fileprivate var brief: String {
        switch content {
        case .state: "piece \(offset) of state \(step)"
        case .total: "piece \(offset) of total \(step)"
        case .nothing: "no piece \(offset)"
        }
    }
}

extension CoordinatorAction {
    /// A few words for a trace; `name` says what a peer is called.
    package func brief(_ name: (PeerID) -> String) -> String {
        func names(_ peers: [PeerID]) -> String { peers.map(name).joined(separator: " ") }
        switch self {
        case .send(let peer, let message): return "→ \(name(peer)) \(message.brief)"
        case .sendStep(let peer, let generation, let step, let shards):
            return "→ \(name(peer)) step \(step) in \(generation) on shards \(shards)"
        case .sendEvaluation(let peer, let step, let batch, let shards):
            return "→ \(name(peer)) evaluate \(step) batch \(batch) on shards \(shards)"
        case .record(let step):
            return "record step \(step.step)\(step.skipped ? " skipped" : "") "
                + "by \(step.workers) in \(step.generation)"
        case .adopt(let line): return "adopt step \(line.step) of \(line.generation)"
        case .validated(let result): return "validated step \(result.step): loss \(result.loss)"
        case .deliverCheckpoint(let step, let peers):
            return "deliver checkpoint \(step) to \(names(peers))"
        case .endDelivery(let peer): return "end delivery to \(name(peer))"
        case .write(let slice, let position):
            return "write slice \(slice.step) \(slice.section) up to \(position)"
        case .commitCheckpoint(let step): return "commit checkpoint \(step)"
        case .abandonCheckpoint(let step): return "abandon checkpoint \(step)"
        case .forget(let peer): return "forget \(name(peer))"
        case .admitOnly(let peers): return "admit only \(names(peers))"
        case .note(let note): return "note \(Self.brief("\(note)"))"
        case .phases(let spans): return "\(spans.count) spans"
        case .finish(let outcome): return "end \(Self.brief("\(outcome)"))"
        }
    }

    /// The description of an enum without the names of modules.
    private static func brief(_ description: String) -> String {
        var text = description
        for prefix in ["Coordination.LossReason.", "Wire.Refusal.", "Wire.WireError."] {
            text = text.split(separator: prefix, omittingEmptySubsequences: false)
                .joined()
        }
        return text
    }
}

extension WorkerAction {
    /// A few words for a trace.
    package var brief: String {
        switch self {
        case .send(let message): "→ \(message.brief)"
        case .reconnect: "reconnect"
        case .obey(let order, _): "obey \(order.brief)"
        case .abandonStep: "abandon step"
        case .update(let step, let skipped): "update \(step)\(skipped ? " skipped" : "")"
        case .abandonCapture: "abandon capture"
        case .note(let note): "note \(note)"
        case .leave(let outcome): "leave \(outcome)"
        }
    }
}
