import Wire

/// Makes prepared workers into a ring whose members all hold the committed state.
extension Coordinator {
    /// Draws the next arrangement from those who hold the state; where nobody does, all take it
    /// from the origin first.
    mutating func assemble(at now: Instant) {
        dissolve()
        if isStopping { return save(at: now) }
        guard peers.values.contains(where: \.isPrepared) else { return waitForAnybody(at: now) }
        goToBestStep()
        let chosen = candidates(at: now)
        let holders = chosen.filter { $0.holds == committed }
        guard holders.isEmpty else { return form(linked(routed(holders), at: now), at: now) }
        restore(chosen, at: now)
    }

    /// Forgets the ring and what its members were doing.
    mutating func dissolve() {
        for id in members?.peers ?? [] {
            let last = peers[id].map { phase(of: $0) }
            peers[id]?.phaseBefore = last
        }
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
        if best < committed {
            note(.goingBack(from: committed, to: best))
            for id in peers.keys { peers[id]?.pupil = nil }
        }
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

    /// Gives the origin's state to those who are to go on from it; what is under way goes on.
    private mutating func restore(_ lacking: [Peer], at now: Instant) {
        stage = .restoring(Set(lacking.map(\.id)))
        if hasStarted { note(.restoring(names: lacking.map(\.name), step: committed)) }
        let fresh = lacking.filter { $0.delivery != origin.delivery }.map(\.id)
        guard !fresh.isEmpty else { return }
        for id in fresh {
            endDelivery(to: id)
            peers[id]?.pupil = nil
            peers[id]?.holds = nil
            peers[id]?.written = nil
            peers[id]?.delivery = origin.delivery
            beginState(of: id, at: now)
        }
        switch origin {
        case .seed: for id in fresh { send(.initialise, to: id) }
        case .checkpoint(let step): actions.append(.deliverCheckpoint(step: step, to: fresh))
        }
    }

    mutating func endDelivery(to id: PeerID) {
        if case .checkpoint = peers[id]?.delivery { actions.append(.endDelivery(id)) }
        peers[id]?.delivery = nil
    }

    /// The first peer that holds the committed state.
    func holder() -> PeerID? { peersInOrder.first { $0.isPrepared && $0.holds == committed }?.id }

    mutating func stateReady(_ id: PeerID, _ held: HeldState, at now: Instant) {
        // A member's state moves by commits alone.
        guard members?.peers.contains(id) != true else { return }
        if peers[id]?.pupil != nil { return learned(id, held, at: now) }
        guard peers[id]?.delivery?.step == held.step else { return }
        prove(id, held, at: now)
        peers[id]?.delivery = nil
        guard case .restoring(var pending) = stage, held.step == committed else { return }
        pending.remove(id)
        movements += 1
        stage = .restoring(pending)
        if pending.isEmpty { assemble(at: now) }
    }

    /// A worker's state is the run's: it may keep it, whatever becomes of this coordinator.
    mutating func prove(_ id: PeerID, _ held: HeldState, at now: Instant) {
        endState(of: id, at: now)
        peers[id]?.holds = held.step
        peers[id]?.written = held.digest
        send(.proven(step: held.step), to: id)
    }

    /// A worker has followed a commit.
    mutating func updated(_ id: PeerID, _ update: Update, at now: Instant) {
        guard peers[id]?.holds == update.held.step else { return }
        peers[id]?.written = update.held.digest
        timed(update, by: id, at: now)
    }

    private mutating func form(_ chosen: [Peer], at now: Instant) {
        for peer in chosen { peers[peer.id]?.pupil = nil }
        counter += 1
        attempts += 1
        let generation = Generation(epoch: policy.run.epoch, counter: counter)
        let count = chosen.count
        let bounds = bounds(for: chosen)
        let chunkBytes = chunkBytes(chosen)
        let boards = boards(chosen)
        ringWatch.formed(Set(chosen.map(\.id)), at: committed)
        cutWatch.formed(Set(chosen.map(\.id)), at: committed)
        members = Members(generation: generation, peers: chosen.map(\.id), bounds: bounds)
        stage = .forming(Set(chosen.map(\.id)))
        note(.formed(generation, members: chosen.map(\.name), bounds: bounds))
        for (rank, peer) in chosen.enumerated() {
            let next = chosen[(rank + 1) % count]
            let previous = chosen[(rank + count - 1) % count]
            let roster = Roster(
                generation: generation, committed: committed, rank: rank, bounds: bounds,
                names: chosen.map(\.name), successor: count > 1 ? place(of: next, for: peer) : nil,
                predecessorIsRelayed: count > 1 && isRelayed(previous, peer),
                keys: keys(rank, chosen), chunkBytes: chunkBytes, boards: boards)
            send(.roster(roster), to: peer.id)
        }
        enrol(at: now)
        teachAll(at: now)
    }

    /// Returns the keys by which a member knows its neighbours; nil where all is plain text.
    private func keys(_ rank: Int, _ chosen: [Peer]) -> RingKeys? {
        let predecessor = chosen[(rank + chosen.count - 1) % chosen.count].hello.key
        let successor = chosen[(rank + 1) % chosen.count].hello.key
        guard chosen.count > 1, !predecessor.isEmpty, !successor.isEmpty else { return nil }
        return RingKeys(
            predecessor: predecessor, successor: successor, encryptsAll: policy.ring.encryptsAll)
    }

    /// Returns the memory in which each member says where its gradients lie, or nothing if sums are
    /// to travel.
    ///
    /// Gradients are summed in place when all members are processes of one host. None of them may
    /// have failed to read the others'. The memory of a process that is killed goes a moment before
    /// the connection that tells of it.
    private func boards(_ chosen: [Peer]) -> [MemoryPlace] {
        let boards = chosen.compactMap(\.hello.address.board)
        let host = chosen.first?.hello.address.hostKey
        let isApart = !apart.isEmpty && apart.isSubset(of: instances(chosen.map(\.id)))
        guard policy.ring.sumsInPlace, !isApart, chosen.count > 1, boards.count == chosen.count,
            chosen.allSatisfy({ $0.hello.address.hostKey == host && !$0.isBehindRelay })
        else { return [] }
        return boards
    }

    func instances(_ ids: [PeerID]) -> Set<UInt64> {
        Set(ids.compactMap { peers[$0]?.hello.instance })
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
