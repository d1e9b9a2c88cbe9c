import Wire

/// Who comes and who goes.
extension Coordinator {
    mutating func greeted(_ hello: Hello, by id: PeerID, at now: Instant) {
        guard peers[id] == nil else { return }
        if let refusal = refusal(of: hello) {
            send(.refused(refusal), to: id)
            note(.refused(host: hello.address.hostName, processID: hello.processID, refusal))
            return
        }
        workersWelcomed += 1
        let peer = Peer(id: id, number: workersWelcomed, hello: hello, lastHeard: now)
        peers[id] = peer
        let welcome = Welcome(
            run: policy.run, epoch: policy.epoch, name: peer.name,
            peerTimeoutMilliseconds: Int(policy.deadlines.peerTimeout.count),
            configuration: policy.configuration)
        send(.welcome(welcome), to: id)
        let missing = max(0, policy.workers - peers.count)
        note(
            .joined(
                name: peer.name, host: hello.address.hostName, processID: hello.processID,
                threads: hello.threads, waitingFor: hasStarted ? 0 : missing))
    }

    /// The first worker's arithmetic is the run's: who computes other bits is not let in.
    private func refusal(of hello: Hello) -> Refusal? {
        guard hello.software == policy.software else {
            return .version(theirs: hello.software, ours: policy.software)
        }
        if let first = peersInOrder.first?.hello, first.probe != hello.probe {
            return .arithmetic(theirs: hello.kernel, ours: first.kernel)
        }
        return nil
    }

    mutating func prepared(_ id: PeerID, holds: Int?, at now: Instant) {
        peers[id]?.isPrepared = true
        peers[id]?.holds = holds
        if firstPrepared == nil { firstPrepared = now }
        startIfEnough(at: now)
    }

    /// Starts with `--workers` workers, or with fewer some time after the first.
    mutating func startIfEnough(at now: Instant) {
        guard stage == .waiting, let firstPrepared else { return }
        let ready = peers.values.count { $0.isPrepared }
        let grace = hasStarted ? policy.deadlines.peerTimeout : policy.startGrace
        let waitedLongEnough = firstPrepared + grace <= now && (hasStarted || !policy.waitForAll)
        if ready >= policy.workers || (ready > 0 && waitedLongEnough) { assemble(at: now) }
    }

    mutating func lost(_ id: PeerID, _ reason: LossReason, at now: Instant) {
        guard let peer = peers.removeValue(forKey: id) else { return }
        actions.append(.forget(id))
        note(
            .lost(
                name: peer.name, host: peer.hello.address.hostName, reason: reason, step: committed)
        )
        if let open = snapshot, open.donor == id {
            checkpointIsOwed = checkpointIsOwed || open.toDisk
            abandonSnapshot()
        }
        switch stage {
        case .waiting, .finished: break
        case .saving: save(at: now)
        case .restoring(let pending) where !pending.contains(id) && snapshot != nil: break
        case .restoring: assemble(at: now)
        case .forming, .stepping, .evaluating:
            if members?.peers.contains(id) == true { assemble(at: now) }
        }
    }

    mutating func tick(at now: Instant) {
        let deadlines = policy.deadlines
        // Who was itself stopped has not listened: nobody is judged by that silence.
        let slept = lastTick.map { $0 + deadlines.peerTimeout < now } ?? false
        lastTick = now
        if slept { for id in peers.keys { peers[id]?.lastHeard = now } }
        for peer in peersInOrder where peer.lastHeard + deadlines.peerTimeout < now {
            lost(peer.id, .silent(milliseconds: now.milliseconds(since: peer.lastHeard)), at: now)
        }
        if lastHeartbeat.map({ $0 + deadlines.heartbeat <= now }) ?? true {
            lastHeartbeat = now
            for peer in peersInOrder { send(.heartbeat, to: peer.id) }
        }
        if let moment = regenerateAt, moment <= now {
            regenerateAt = nil
            assemble(at: now)
        }
        startIfEnough(at: now)
        watchProgress(at: now)
    }

    /// Forms the ring anew when nobody has got on with a step for too long.
    private mutating func watchProgress(at now: Instant) {
        guard let members else { return }
        switch stage {
        case .forming, .stepping: break
        default:
            lastProgress = nil
            return
        }
        let sum = members.peers.reduce(UInt64(votes.count)) {
            $0 &+ (peers[$1]?.heartbeat?.progress ?? 0)
        }
        guard let last = lastProgress, last.sum == sum else {
            lastProgress = (sum, now)
            return
        }
        guard last.at + policy.deadlines.stall < now else { return }
        lastProgress = nil
        let late = members.peers.filter { votes[$0] == nil }
        note(
            .stalled(
                step: committed + 1, waiting: names(of: late),
                milliseconds: now.milliseconds(since: last.at)))
        assemble(at: now)
    }

    mutating func ringBroken(
        _ generation: Generation, _ reason: String, _ id: PeerID, at now: Instant
    ) {
        guard generation == members?.generation, regenerateAt == nil else { return }
        note(.ringBroken(name: peers[id]?.name ?? "?", reason: reason))
        regenerateAt = now + policy.deadlines.settle
    }
}
