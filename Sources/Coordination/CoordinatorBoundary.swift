import Wire

/// Takes the decisions between two steps: checkpoints, validation, newcomers, the end.
extension Coordinator {
    mutating func boundary(at now: Instant) {
        let isLast = committed >= policy.steps
        if isStopping { return save(at: now) }
        if !isLast && isCheckpointDue(at: now) && origin.step < committed {
            checkpoint(at: now)
        }
        if lastValidated < committed && policy.validation.batches > 0
            && (isDue(policy.validation.every) || (isLast && policy.validation.every > 0))
        {
            return startEvaluation()
        }
        if isLast { return save(at: now) }
        if hasNewcomers(at: now) { return assemble(at: now) }
        let graduates = graduates(at: now)
        if !graduates.isEmpty { return admit(graduates, at: now) }
        if rebalances(at: now) { return }
        if isDetourWorthwhile {
            ringWatch.wait(at: committed)
            return assemble(at: now)
        }
        startStep(at: now)
        enrol(at: now)
        teachAll(at: now)
    }

    private func isDue(_ interval: Int) -> Bool {
        interval > 0 && committed > 0 && committed % interval == 0
    }

    /// Workers outside the ring that hold its state, while there are shards for them.
    ///
    /// One who holds a later state than the run goes on from is welcome in any case.
    private func hasNewcomers(at now: Instant) -> Bool {
        guard let members else { return false }
        let hasRoom = members.peers.count < policy.shards
        return peers.values.contains { peer in
            guard peer.isPrepared, !members.peers.contains(peer.id),
                !probations.hold(peer.hello.instance, at: now)
            else { return false }
            return hasRoom && peer.holds == committed
                || usableStep(of: peer).map { $0 > committed } ?? false
        }
    }

    private func isCheckpointDue(at now: Instant) -> Bool {
        if let checkpointNotBefore, now < checkpointNotBefore { return false }
        return checkpointIsOwed || isDue(policy.checkpoints.every)
    }

    /// Asks the first member for the state; training goes on while it is written.
    private mutating func checkpoint(at now: Instant) {
        // A boundary is passed again after validation: this step's snapshot may be under way.
        if snapshot?.step == committed { return }
        guard snapshot == nil, let donor = members?.peers.first else {
            checkpointIsOwed = true
            return
        }
        checkpointIsOwed = false
        openSnapshot(donor: donor, at: now)
    }

    private mutating func startEvaluation() {
        evaluated = ValidationResult(step: committed, smoothed: 0, loss: 0, labels: 0)
        sendEvaluation(batch: 0)
    }

    private mutating func sendEvaluation(batch: Int) {
        guard let members else { preconditionFailure("an evaluation without members") }
        evaluations = [:]
        stage = .evaluating(batch: batch)
        for (rank, peer) in members.peers.enumerated() {
            actions.append(
                .sendEvaluation(
                    peer, step: committed, batch: batch,
                    shards: members.bounds[rank]..<members.bounds[rank + 1]))
        }
    }

    mutating func evaluated(_ evaluation: Evaluation, by id: PeerID, at now: Instant) {
        guard case .evaluating(let batch) = stage, evaluation.batch == batch,
            evaluation.step == committed, let members, let shards = members.shards(of: id)
        else { return }
        guard evaluation.reports.map(\.shard) == Array(shards) else {
            return lost(id, .spokeNonsense, at: now)
        }
        evaluations[id] = evaluation.reports
        movements += 1
        guard evaluations.count == members.peers.count else { return }
        // In shard order, so that the sum does not depend on who computed what.
        for report in members.peers.flatMap({ evaluations[$0]! }) {
            evaluated.smoothed += report.smoothed
            evaluated.loss += report.negativeLogLikelihood
            evaluated.labels += report.labels
        }
        if batch + 1 < policy.validation.batches { return sendEvaluation(batch: batch + 1) }
        finishEvaluation(at: now)
    }

    private mutating func finishEvaluation(at now: Instant) {
        let labels = Double(max(1, evaluated.labels))
        evaluated.smoothed /= labels
        evaluated.loss /= labels
        lastValidated = max(lastValidated, committed)
        actions.append(.validated(evaluated))
        boundary(at: now)
    }

    mutating func stopRequested(at now: Instant) {
        guard !isStopping else { return }
        isStopping = true
        note(.stopping(step: committed))
        switch stage {
        case .stepping, .finished, .saving: break
        case .waiting, .restoring, .forming, .evaluating: save(at: now)
        }
    }

    /// Writes the last checkpoint, unless it is there already, and ends.
    ///
    /// A run that is done but for this checkpoint waits until somebody holds its state again; one
    /// that was asked to stop saves the best that is there.
    mutating func save(at now: Instant) {
        dissolve()
        if holder() == nil && isStopping { goToBestStep() }
        if origin.step >= committed || !policy.checkpoints.atEnd { return finish() }
        if let open = snapshot {
            // At its end a run lets the checkpoint before finish too; who is stopped is in a hurry.
            if open.step == committed || !isStopping {
                stage = .saving
                return
            }
            closeSnapshot()
        }
        guard let donor = holder() else {
            return isStopping ? finish() : assemble(at: now)
        }
        stage = .saving
        openSnapshot(donor: donor, at: now)
    }

    private mutating func finish() {
        if committed >= policy.steps && (origin.step >= committed || !policy.checkpoints.atEnd) {
            return end(.finished(step: committed), "the run is finished")
        }
        let saved: Int? = if case .checkpoint(let step) = origin { step } else { nil }
        end(.stopped(step: committed, saved: saved), "the run was stopped")
    }

    mutating func checkpointWritten(_ step: Int, at now: Instant) {
        if let written = snapshot, written.step == step {
            snapshot = nil
            spans.append(
                PhaseSpan(
                    .checkpoint, of: peers[written.donor]?.name, step: step, nil,
                    from: written.begun, to: now))
        }
        if step > origin.step { origin = .checkpoint(step: step) }
        checkpointIsOwed = false
        if stage == .saving { save(at: now) }
    }

    mutating func checkpointFailed(_ step: Int, at now: Instant) {
        if let open = snapshot, open.step == step {
            snapshot = nil
            send(.abandonSnapshot(step: step), to: open.donor)
            if stage == .saving && step < committed { return save(at: now) }
            if stage == .saving {
                return end(.checkpointFailed(step: step), "the checkpoint could not be written")
            }
        }
        let pause = policy.deadlines.peerTimeout
        note(.checkpointRetried(step: step, milliseconds: pause.count))
        checkpointIsOwed = true
        checkpointNotBefore = now + pause
    }
}
