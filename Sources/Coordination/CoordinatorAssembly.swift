import Wire

/// From prepared workers to a ring whose members all hold the committed state.
extension Coordinator {
    /// Draws the next arrangement from whoever is there, and sees to it that all hold the state.
    mutating func assemble(at now: Instant) {
        dissolve()
        if isStopping { return save(at: now) }
        guard peers.values.contains(where: \.isPrepared) else { return waitForAnybody(at: now) }
        goToBestStep()
        let chosen = candidates(at: now)
        let lacking = chosen.filter { $0.holds != committed }
        guard !lacking.isEmpty else { return form(chosen) }
        restore(lacking, at: now)
    }

    /// Forgets the ring and what its members were doing.
    mutating func dissolve() {
        members = nil
        votes = [:]
        evaluations = [:]
        regenerateAt = nil
        lastMovement = nil
    }

    /// Goes on from the latest recorded state that any worker holds, or from the last checkpoint.
    ///
    /// Forwards too: one that holds more than the others may come back while they fold again.
    mutating func goToBestStep() {
        let held = peers.values.compactMap { $0.isPrepared ? usableStep(of: $0) : nil }
        let best = max(origin.step, held.max() ?? 0)
        if best < committed { note(.goingBack(from: committed, to: best)) }
        committed = best
    }

    /// The step that a worker holds, if the ledger has it: only then it is of this history.
    func usableStep(of peer: Peer) -> Int? {
        peer.holds.flatMap { $0 <= lastCommitted ? $0 : nil }
    }

    /// Prepared peers, those of one host side by side, at most one for every shard.
    private func candidates(at now: Instant) -> [Peer] {
        let all = peersInOrder.filter(\.isPrepared)
        let trusted = all.filter { !probations.hold($0.hello.instance, at: now) }
        let prepared = trusted.isEmpty ? all : trusted
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

    /// Keeps its place: those who were cut off may come back with the state.
    mutating func waitForAnybody(at now: Instant) {
        if hasStarted && stage != .waiting { note(.allGone(step: committed)) }
        firstPrepared = nil
        stage = .waiting
    }

    /// Gives the state to those who lack it; what is under way already goes on.
    private mutating func restore(_ lacking: [Peer], at now: Instant) {
        if let open = snapshot, !open.toDisk, open.step == committed {
            let pending = Set(open.targets.filter { peers[$0]?.holds != committed })
            // Who lacks the state besides takes it at the next boundary.
            if !pending.isEmpty {
                stage = .restoring(pending)
                return
            }
            snapshot = nil
        }
        stage = .restoring(Set(lacking.map(\.id)))
        if hasStarted { note(.restoring(names: lacking.map(\.name), step: committed)) }
        let isOrigin = origin.step == committed
        let fresh = lacking.filter { !isOrigin || $0.delivery != origin.delivery }.map(\.id)
        guard !fresh.isEmpty else { return }
        for id in fresh { endDelivery(to: id) }
        if let donor = holder() {
            closeSnapshot()
            openSnapshot(donor: donor, toDisk: false, to: fresh, at: now)
        } else {
            deliverOrigin(to: fresh)
        }
    }

    private mutating func deliverOrigin(to fresh: [PeerID]) {
        for id in fresh { peers[id]?.delivery = origin.delivery }
        switch origin {
        case .seed: for id in fresh { send(.initialise, to: id) }
        case .checkpoint(let step): actions.append(.deliverCheckpoint(step: step, to: fresh))
        }
    }

    private mutating func endDelivery(to id: PeerID) {
        if case .checkpoint = peers[id]?.delivery { actions.append(.endDelivery(id)) }
        peers[id]?.delivery = nil
    }

    /// The first peer that holds the committed state.
    func holder() -> PeerID? { peersInOrder.first { $0.isPrepared && $0.holds == committed }?.id }

    mutating func stateReady(_ id: PeerID, step: Int, at now: Instant) {
        // A member's state moves by commits alone.
        guard members?.peers.contains(id) != true else { return }
        peers[id]?.holds = step
        peers[id]?.delivery = nil
        guard case .restoring(var pending) = stage, step == committed else { return }
        pending.remove(id)
        movements += 1
        stage = .restoring(pending)
        guard pending.isEmpty else { return }
        if snapshot?.toDisk == false { snapshot = nil }
        form(candidates(at: now).filter { $0.holds == committed })
    }

    private mutating func form(_ chosen: [Peer]) {
        counter += 1
        attempts += 1
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
        guard case .forming(var pending) = stage, generation == members?.generation,
            pending.remove(id) != nil
        else { return }
        movements += 1
        stage = .forming(pending)
        guard pending.isEmpty else { return }
        hasStarted = true
        boundary(at: now)
    }
}
