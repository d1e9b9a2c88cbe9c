import Checkpoint
import Coordination
import Events
import Messaging
import Preparation
import Text
import Wire

/// What the coordinator's state machine wants done.
extension CoordinatorProcess {
    /// Why the ledger did not take a line, if so: then nothing behind it may be carried out.
    func perform(_ action: CoordinatorAction) -> CheckpointError? {
        switch action {
        case .send(let peer, .roster(let roster)):
            send(.roster(placed(roster, for: peer)), to: peer)
        case .send(let peer, let message): send(message, to: peer)
        case .sendStep(let peer, let generation, let step, let shards):
            sendStep(peer, generation, step, shards)
        case .sendEvaluation(let peer, let step, let batch, let shards):
            let words = flattened(setup.batches.heldOut[batch], shards)
            send(.evaluate(EvaluationOrder(step: step, batch: batch, shards: words)), to: peer)
        case .record(let step): return record(step)
        case .adopt(let line): return adopt(line)
        case .validated(let result):
            report(.validated(result))
        case .deliverCheckpoint(let step, let peers): deliver(step, to: peers)
        case .endDelivery(let peer): deliveries[peer] = nil
        case .write(let slice, let position):
            setup.store?.checkpoints.write(slice, position: position)
        case .commitCheckpoint(let step): commitCheckpoint(step)
        case .abandonCheckpoint(let step): setup.store?.checkpoints.abandon(step: step)
        case .forget(let peer):
            deliveries[peer] = nil
            outboxes[peer] = nil
            endpoint.admissions?.forget(peer)
        case .admitOnly(let peers): admitOnly(peers)
        case .note(let note):
            // Of many in a row the first shows which they are.
            if case .skipped(let step, let shards) = note,
                coordinator.skipped(upTo: step) == 1
            {
                reportSamples(of: shards, step)
            }
            if case .joined(_, _, let processID, _, _) = note { localWorkers?.joined(processID) }
            report(.note(note))
        case .phases(let spans): report(.phases(spans))
        case .finish(let outcome):
            if case .nonFinite(let step, let shards) = outcome { reportSamples(of: shards, step) }
            self.outcome = outcome
        }
        return nil
    }

    /// A successor that runs on this host, as the peer finds it: at the address where it reaches
    /// this coordinator.
    private func placed(_ roster: Roster, for peer: PeerID) -> Roster {
        guard let successor = roster.successor else { return roster }
        var roster = roster
        roster.successor?.tcp = placed(successor.tcp, for: peer)
        return roster
    }

    func placed(_ endpoint: String, for peer: PeerID) -> String {
        guard let connection = connections.first(where: { $0.value == peer })?.key,
            let here = Route.source(ofConnection: connection)
        else { return endpoint }
        return NetworkChoices.endpoint(endpoint, from: here)
    }

    // MARK: batches

    private func sendStep(
        _ peer: PeerID, _ generation: Generation, _ step: Int, _ shards: Range<Int>
    ) {
        let batch = batch(step)
        send(
            .step(
                StepOrder(
                    generation: generation, step: step,
                    learningRate: setup.configuration.optimizer.arithmetic.schedule.rate(
                        step: step),
                    labels: batch.labels,
                    shards: flattened(batch, shards),
                    measuresLayers: setup.configuration.reporting.logsLayers(step: step))),
            to: peer)
    }

    private func batch(_ step: Int) -> Batch {
        if let currentBatch, currentBatch.step == step { return currentBatch }
        let batch = setup.batches.batch(step: step)
        currentBatch = batch
        return batch
    }

    private func reportSamples(of shards: [Int], _ step: Int) {
        let batch = batch(step)
        for shard in shards where batch.shards.indices.contains(shard) {
            let samples = batch.shards[shard].samples
            report(
                .nonFinite(
                    NonFiniteShard(
                        step: step, shard: shard, samples: samples,
                        places: samples.compactMap { setup.batches.place(ofSample: $0) })))
        }
    }

    private func flattened(_ batch: Batch, _ shards: Range<Int>) -> [ShardWords] {
        shards.map { ShardWords(shard: $0, words: batch.shards[$0].flattened) }
    }

    // MARK: records

    private func record(_ step: CommittedStep) -> CheckpointError? {
        let summary = summary(of: step, batch(step.step))
        switch write(step.line) {
        case .written, .wasThere: break
        case .failed(let error): return error
        case .ended: return nil
        }
        report(.step(summary))
        localWorkers?.stepCommitted()
        return nil
    }

    private func adopt(_ line: CommittedLine) -> CheckpointError? {
        if case .failed(let error) = write(line) { error } else { nil }
    }

    private enum Writing {
        case written, wasThere
        case failed(CheckpointError)
        /// The run cannot go on: the line is not that of the same step before.
        case ended
    }

    private func write(_ line: CommittedLine) -> Writing {
        guard let store = setup.store else { return .wasThere }
        do throws(RunStore.Failure) {
            return try store.record(line, batch(line.step)) ? .written : .wasThere
        } catch {
            if case .file(let reason) = error, reason.mayPass { return .failed(reason) }
            failure = error
            handle(.recordFailed(step: line.step))
            return .ended
        }
    }

    /// Losses are added in shard order, whoever computed them.
    private func summary(of step: CommittedStep, _ batch: Batch) -> StepReport {
        let labels = Double(max(1, batch.labels))
        return StepReport(
            step: step.step, epoch: batch.epoch,
            loss: step.line.loss,
            negativeLogLikelihood: step.reports.reduce(0) { $0 + $1.negativeLogLikelihood }
                / labels,
            learningRate: Double(
                setup.configuration.optimizer.arithmetic.schedule.rate(step: step.step)),
            gradientNorm: step.gradientNorm, tokens: batch.tokens,
            timing: step.timing, workers: step.workers, isSkipped: step.skipped,
            layers: LayerReport.reports(
                setup.layers, squaredNorms: step.layerNorms, shards: step.reports))
    }

    // MARK: state

    /// Streams the state on disk to workers that lack it.
    private func deliver(_ step: Int, to peers: [PeerID]) {
        do {
            let loaded = try setup.loadState(step)
            for peer in peers {
                deliveries[peer] = StateStream(
                    step: loaded.step, adamCount: loaded.adamCount, sections: loaded.sections)
                for _ in 0..<StateStream.window { sendSlice(to: peer) }
            }
        } catch {
            failure = error
            outcome = .checkpointFailed(step: step)
        }
    }

    private func sendSlice(to peer: PeerID) {
        guard let slice = deliveries[peer]?.take() else {
            deliveries[peer] = nil
            return
        }
        send(.slice(slice), to: peer)
    }

    /// A peer has stored a slice of the checkpoint that is streamed to it.
    func taken(_ step: Int, by peer: PeerID) {
        if deliveries[peer]?.step == step { sendSlice(to: peer) }
    }

    private func commitCheckpoint(_ step: Int) {
        do {
            try setup.store?.synchronize()
            setup.store?.checkpoints.commit(step: step)
        } catch {
            setup.store?.checkpoints.abandon(step: step)
            mailbox.post(.disk(.failed(step: step, error)))
        }
    }
}
