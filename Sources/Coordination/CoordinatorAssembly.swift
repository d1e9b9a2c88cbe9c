import Wire

/// From prepared workers to a ring whose members all hold the committed state.
extension Coordinator {
    /// Draws the next arrangement from whoever is there, and sees to it that all hold the state.
    mutating func assemble(at now: Instant) {
        members = nil
        votes = [:]
        evaluations = [:]
        regenerateAt = nil
        lastProgress = nil
        let chosen = candidates()
        guard !chosen.isEmpty else { return waitForAnybody(at: now) }
        var lacking = chosen.filter { $0.holds != committed }
        if lacking.count == chosen.count && committed != origin.step {
            note(.allLost(step: committed, resumeFrom: origin.step))
            committed = origin.step
            lacking = chosen.filter { $0.holds != committed }
        }
        guard !lacking.isEmpty else { return form(chosen) }
        if hasStarted { note(.restoring(names: lacking.map(\.name), step: committed)) }
        stage = .restoring(Set(lacking.map(\.id)))
        restore(lacking.map(\.id), donor: chosen.first { $0.holds == committed }?.id)
    }

    /// Prepared peers, those of one host side by side, at most one for every shard.
    private func candidates() -> [Peer] {
        let prepared = peersInOrder.filter(\.isPrepared)
        var hosts: [String] = []
        for peer in prepared where !hosts.contains(peer.hello.address.hostKey) {
            hosts.append(peer.hello.address.hostKey)
        }
        let grouped = hosts.flatMap { host in
            prepared.filter { $0.hello.address.hostKey == host }
        }
        // Who holds the state comes first when there are more workers than shards.
        guard grouped.count > policy.shards else { return grouped }
        let holders = grouped.filter { $0.holds == committed }
        let others = grouped.filter { $0.holds != committed }
        let chosen = Set((holders + others).prefix(policy.shards).map(\.id))
        return grouped.filter { chosen.contains($0.id) }
    }

    private mutating func waitForAnybody(at now: Instant) {
        if hasStarted { note(.allLost(step: committed, resumeFrom: origin.step)) }
        committed = origin.step
        firstPrepared = nil
        stage = .waiting
        if isStopping { save(at: now) }
    }

    private mutating func restore(_ lacking: [PeerID], donor: PeerID?) {
        if let donor {
            if snapshot != nil {
                abandonSnapshot()
                checkpointIsOwed = true
            }
            openSnapshot(donor: donor, toDisk: false, to: lacking)
        } else if case .checkpoint(let step) = origin {
            actions.append(.deliverCheckpoint(step: step, to: lacking))
        } else {
            for peer in lacking { send(.initialise, to: peer) }
        }
    }

    mutating func openSnapshot(donor: PeerID, toDisk: Bool, to targets: [PeerID]) {
        precondition(snapshot == nil, "two snapshots at once, at step \(committed)")
        snapshot = Snapshot(step: committed, donor: donor, toDisk: toDisk)
        actions.append(
            .openSnapshot(step: committed, donor: donor, toDisk: toDisk, to: targets))
        send(.snapshot(step: committed), to: donor)
    }

    mutating func abandonSnapshot() {
        guard let open = snapshot else { return }
        snapshot = nil
        actions.append(.abandonSnapshot(step: open.step))
        if peers[open.donor] != nil { send(.abandonSnapshot(step: open.step), to: open.donor) }
    }

    mutating func stateReady(_ id: PeerID, step: Int, at now: Instant) {
        guard case .restoring(var pending) = stage, step == committed else { return }
        peers[id]?.holds = step
        pending.remove(id)
        stage = .restoring(pending)
        guard pending.isEmpty else { return }
        if snapshot?.toDisk == false { snapshot = nil }
        if isStopping { save(at: now) } else { form(candidates().filter { $0.holds == committed }) }
    }

    private mutating func form(_ chosen: [Peer]) {
        counter += 1
        let generation = Generation(epoch: policy.epoch, counter: counter)
        let count = chosen.count
        let bounds = (0...count).map { $0 * policy.shards / count }
        members = Members(generation: generation, peers: chosen.map(\.id), bounds: bounds)
        stage = .forming(Set(chosen.map(\.id)))
        note(.formed(generation, members: chosen.map(\.name), bounds: bounds))
        for (rank, peer) in chosen.enumerated() {
            let successor = count > 1 ? chosen[(rank + 1) % count].hello.address : nil
            let roster = Roster(
                generation: generation, committed: committed, rank: rank, bounds: bounds,
                names: chosen.map(\.name), successor: successor)
            send(.roster(roster), to: peer.id)
        }
    }

    mutating func formed(_ id: PeerID, _ generation: Generation, at now: Instant) {
        guard case .forming(var pending) = stage, generation == members?.generation else { return }
        pending.remove(id)
        stage = .forming(pending)
        guard pending.isEmpty else { return }
        hasStarted = true
        boundary(at: now)
    }
}
