import Wire

/// Lets workers in, and notes those that are lost.
extension Coordinator {
    /// Peers that are welcomed at most, spares included.
    static let peerLimit = WireLimit.members

    mutating func greeted(_ hello: Hello, by id: PeerID, at now: Instant) {
        guard peers[id] == nil else { return }
        if let refusal = refusal(of: hello) {
            send(.refused(refusal), to: id)
            note(.refused(host: hello.address.hostName, processID: hello.processID, refusal))
            return
        }
        // Its old connection may look alive for a while yet.
        for old in peersInOrder where old.hello.instance == hello.instance {
            lost(old.id, .reconnected, at: now)
        }
        guard stage != .finished else { return }
        workersWelcomed += 1
        let peer = Peer(id: id, number: workersWelcomed, hello: hello, lastHeard: now)
        peers[id] = peer
        let welcome = Welcome(
            run: policy.run.number, epoch: policy.run.epoch, name: peer.name,
            peerTimeoutMilliseconds: Int(policy.deadlines.peerTimeout.count),
            configuration: policy.run.configuration)
        send(.welcome(welcome), to: id)
        giveToken(to: id)
        let missing = max(0, policy.gathering.workers - peers.count)
        note(
            .joined(
                name: peer.name, host: hello.address.hostName, processID: hello.processID,
                threads: hello.threads, waitingFor: hasStarted ? 0 : missing))
        if peer.isBehindRelay { note(.relayed(name: peer.name, host: hello.address.hostName)) }
    }

    /// The arithmetic of the first commit is the run's, before that the first worker's: who
    /// computes other bits is not let in.
    private func refusal(of hello: Hello) -> Refusal? {
        guard hello.software == policy.run.software else {
            return .version(theirs: hello.software, ours: policy.run.software)
        }
        guard hello.arithmetic == policy.run.arithmetic else {
            return .version(
                theirs: "\(hello.software) with arithmetic \(hello.arithmetic)",
                ours: "\(policy.run.software) with arithmetic \(policy.run.arithmetic)")
        }
        let others = peersInOrder.first { $0.hello.instance != hello.instance }?.hello
        let run = arithmetic ?? others.map { ($0.kernel, $0.probe) }
        if let run, run.probe != hello.probe {
            return .arithmetic(theirs: hello.kernel, ours: run.kernel)
        }
        return peers.count < Self.peerLimit ? nil : .full(limit: Self.peerLimit)
    }

    /// A worker says what it has in memory: when it has built the model, and when an order did not
    /// fit that.
    mutating func prepared(_ id: PeerID, _ holdings: Holdings, at now: Instant) {
        let isNew = peers[id]?.isPrepared == false
        peers[id]?.isPrepared = true
        peers[id]?.holds = holdings.state?.step
        peers[id]?.written = holdings.state?.digest
        peers[id]?.delivery = nil
        peers[id]?.pupil = nil
        adopt(holdings.lines, of: id)
        repeatCommit(to: id, holdings.folded)
        if firstPrepared == nil { firstPrepared = now }
        switch stage {
        case .waiting: startIfEnough(at: now)
        case .restoring:
            let isAhead = peers[id].flatMap(usableStep).map { $0 > committed } ?? false
            if isAhead || !isNew { assemble(at: now) }
        case .forming, .stepping, .evaluating:
            if members?.peers.contains(id) == true { assemble(at: now) } else { enrol(at: now) }
        case .saving: save(at: now)
        case .finished: break
        }
    }

    /// Takes committed steps back into the ledger that it has lost: its host was without power.
    /// Those of another run are none of its history.
    private mutating func adopt(_ lines: [CommittedLine], of id: PeerID) {
        guard peers[id]?.hello.run == policy.run.number else { return }
        let first = lastCommitted + 1
        for line in lines
        where line.step == lastCommitted + 1 && line.generation.epoch < policy.run.epoch {
            actions.append(.adopt(line))
            recorded = line
            if line.skipped { skips.add(line.step) }
        }
        guard lastCommitted >= first, let peer = peers[id] else { return }
        note(.adopted(name: peer.name, from: first, to: lastCommitted))
    }

    /// Says commit again to a worker that was cut off between its vote and the commit.
    private mutating func repeatCommit(to id: PeerID, _ folded: FoldedStep?) {
        guard let peer = peers[id], let folded, let line = recorded, line.step == folded.step,
            peer.holds == line.step - 1, folded.state == line.state,
            line.skipped || folded.total == line.total
        else { return }
        note(.commitRepeated(name: peer.name, step: line.step))
        send(.commit(Commit(line, durable: durable)), to: id)
        peers[id]?.holds = line.step
        peers[id]?.written = nil
    }

    /// Steps have been committed, by this coordinator or one before.
    private var isResumed: Bool { hasStarted || recorded != nil }

    /// Starts with `--workers` workers, or with fewer some time after the first.
    mutating func startIfEnough(at now: Instant) {
        guard stage == .waiting, let firstPrepared else { return }
        let ready = peers.values.count { $0.isPrepared }
        // A run under way goes on soon: who comes later takes the state while others train.
        let grace = isResumed ? policy.deadlines.gathering : policy.gathering.grace
        let waitedLongEnough =
            firstPrepared + grace <= now && (hasStarted || !policy.gathering.waitForAll)
        if ready >= policy.gathering.workers || (ready > 0 && waitedLongEnough) {
            assemble(at: now)
        }
    }

    mutating func lost(_ id: PeerID, _ reason: LossReason, at now: Instant) {
        guard stage != .finished, let peer = peers[id] else { return }
        let phase = phase(of: peer)
        peers[id] = nil
        actions.append(.forget(id))
        if case .stuck = reason {
            probations.add(peer.hello.instance, policy.deadlines.stall, at: now)
        }
        note(
            .lost(
                name: peer.name, host: peer.hello.address.hostName, reason: reason,
                step: lastCommitted, phase: phase))
        leaveSnapshot(id)
        leaveTeaching(id, at: now)
        switch stage {
        case .waiting:
            if !peers.values.contains(where: \.isPrepared) { firstPrepared = nil }
        case .finished: break
        case .saving: save(at: now)
        case .restoring: assemble(at: now)
        case .forming, .stepping, .evaluating:
            if members?.peers.contains(id) == true { assemble(at: now) }
        }
    }

    mutating func ringBroken(
        _ generation: Generation, _ fault: RingFault, _ id: PeerID, at now: Instant
    ) {
        guard generation == members?.generation, let peer = peers[id] else { return }
        let neighbours = neighbours(of: id, fault.sides)
        if fault.kind == .absent { noteBadLinks(of: id, neighbours, at: now) }
        if fault.kind == .apart { apart = instances(members?.peers ?? []) }
        guard regenerateAt == nil else { return }
        note(.ringBroken(peer.named, fault, neighbours.map(\.named)))
        // Links that keep breaking are not tried at full speed.
        let deadlines = policy.deadlines
        let pause = deadlines.settle.count << min(attempts, 10)
        regenerateAt = now + Milliseconds(min(pause, deadlines.peerTimeout.count))
    }
}
