import Parameters
import Wire

/// Takes a step from its order to its commit.
extension Coordinator {
    mutating func startStep(at now: Instant) {
        guard let members else { preconditionFailure("a step without members") }
        if skips.areTooMany(at: lastCommitted, of: policy.steps) { return giveUp() }
        // The link broke after the last step was folded.
        if regenerateAt != nil { return assemble(at: now) }
        let step = committed + 1
        votes = [:]
        lastMovement = nil
        stage = .stepping(step: step, since: now)
        for (rank, peer) in members.peers.enumerated() {
            actions.append(
                .sendStep(
                    peer, generation: members.generation, step: step,
                    shards: members.bounds[rank]..<members.bounds[rank + 1]))
        }
    }

    mutating func voted(_ vote: Vote, by id: PeerID, at now: Instant) {
        guard case .stepping(let step, let since) = stage, let members, vote.step == step,
            vote.generation == members.generation, let shards = members.shards(of: id)
        else { return }
        guard vote.reports.map(\.shard) == Array(shards),
            vote.nonFiniteShards.allSatisfy({ shards.contains(Int($0)) })
        else { return lost(id, .spokeNonsense, at: now) }
        guard votes[id] == nil else { return }
        // What was committed is told to have been written before the next step is voted on.
        guard peers[id]?.written != nil else { return lost(id, .spokeNonsense, at: now) }
        votes[id] = vote
        timed(vote, by: id, orderedAt: since, at: now)
        movements += 1
        guard votes.count == members.peers.count else { return }
        settle(members.peers.map { votes[$0]! }, members, since: since, at: now)
    }

    private mutating func settle(
        _ votes: [Vote], _ members: Members, since: Instant, at now: Instant
    ) {
        let step = committed + 1
        // A damaged state may show as a NaN: whoever has one is to take the state anew.
        let written = members.peers.map { peers[$0]!.written! }
        if let odd = minority(written) {
            return stateDiffers(odd.map { members.peers[$0] }, at: now)
        }
        // All wrote the same: whose memory no longer holds it is named, even of two.
        let damaged = members.peers.indices.filter { votes[$0].state != written[$0] }
        if !damaged.isEmpty {
            return stateDiffers(damaged.map { members.peers[$0] }, at: now)
        }
        // NaN payloads do not commute, so this verdict comes before the totals are compared.
        let nonFinite = nonFiniteShards(votes)
        if !nonFinite.isEmpty || votes.allSatisfy({ !$0.squaredNorm.isFinite }) {
            guard policy.onNonFinite == .skip else {
                return end(
                    .nonFinite(step: step, shards: nonFinite), "step \(step) is not finite")
            }
            note(.skipped(step: step, shards: nonFinite))
            return commit(votes, members, skipped: true, since: since, at: now)
        }
        if let odd = minority(votes.map(\.total)) {
            return totalsDiffer(odd.map { members.peers[$0] }, at: now)
        }
        commit(votes, members, skipped: false, since: since, at: now)
    }

    private func nonFiniteShards(_ votes: [Vote]) -> [Int] {
        let gradients = votes.flatMap { $0.nonFiniteShards.map(Int.init) }
        let losses = votes.flatMap { $0.reports.filter { !$0.isFinite }.map(\.shard) }
        return Set(gradients + losses).sorted()
    }

    /// Indices of the digests outside the largest group of equals; all of them when groups tie.
    func minority(_ digests: [FastDigest]) -> [Int]? {
        guard Set(digests).count > 1 else { return nil }
        let counts = digests.map { digest in digests.count { $0 == digest } }
        let most = counts.max()!
        let leaders = Set(digests.indices.filter { counts[$0] == most }.map { digests[$0] })
        return leaders.count > 1
            ? Array(digests.indices) : digests.indices.filter { counts[$0] < most }
    }

    /// The odd ones take the state anew; where no majority shows who is odd, all do.
    private mutating func stateDiffers(_ odd: [PeerID], at now: Instant) {
        note(.stateDiffers(step: committed + 1, names: names(of: odd)))
        for id in odd {
            peers[id]?.holds = nil
            peers[id]?.written = nil
        }
        if let open = snapshot, odd.contains(open.donor) { closeSnapshot() }
        refoldOrGiveUp(odd, at: now)
    }

    private mutating func totalsDiffer(_ odd: [PeerID], at now: Instant) {
        note(.totalsDiffer(step: committed + 1, names: names(of: odd)))
        refoldOrGiveUp(odd, at: now)
    }

    private mutating func refoldOrGiveUp(_ odd: [PeerID], at now: Instant) {
        refolds += 1
        guard refolds <= 3 else {
            return end(
                .disagreement(step: committed + 1, workers: names(of: odd)),
                "workers disagree on step \(committed + 1)")
        }
        assemble(at: now)
    }

    private mutating func commit(
        _ votes: [Vote], _ members: Members, skipped: Bool, since: Instant, at now: Instant
    ) {
        let step = committed + 1
        let decided = CommittedStep(
            generation: members.generation, step: step, total: votes[0].total,
            state: votes[0].state,
            reports: votes.flatMap(\.reports).sorted { $0.shard < $1.shard },
            gradientNorm: votes[0].squaredNorm.squareRoot(),
            layerNorms: votes[0].layerNorms, skipped: skipped,
            timing: StepTiming(votes, step: now.seconds(since: since)),
            workers: votes.count)
        actions.append(.record(decided))
        if step > recorded?.step ?? 0 { recorded = decided.line }
        committed = step
        if skipped { skips.add(step) }
        time(votes, members, stepSeconds: decided.timing.step)
        measureLinks(votes, members, stepSeconds: decided.timing.step)
        refolds = 0
        attempts = 0
        let first = peers[members.peers[0]]?.hello
        arithmetic = arithmetic ?? first.map { ($0.kernel, $0.probe) }
        for peer in members.peers {
            send(.commit(Commit(decided.line, durable: durable)), to: peer)
            peers[peer]?.holds = step
            peers[peer]?.written = nil
            peers[peer]?.committedAt = now
        }
        if skipped { pass(step: step) }
        if skips.areTooMany(at: step, of: policy.steps) { return giveUp() }
        boundary(at: now)
    }

    /// Nothing is saved: the newest checkpoint holds the same parameters, or better ones.
    private mutating func giveUp() {
        let step = lastCommitted
        let count = skips.count(upTo: step)
        end(.gaveUp(step: step, skipped: count), "\(count) steps up to \(step) were skipped")
    }
}

extension CommittedStep {
    /// Its line in the ledger. Losses are added in shard order, whoever computed them.
    package var line: CommittedLine {
        let labels = Double(max(1, reports.reduce(0) { $0 + $1.labels }))
        return CommittedLine(
            generation: generation, step: step, total: total, state: state,
            loss: reports.reduce(0) { $0 + $1.smoothed } / labels, skipped: skipped)
    }
}

extension StepTiming {
    /// The members' times, averaged.
    fileprivate init(_ votes: [Vote], step: Double) {
        let count = Double(votes.count)
        self.init(
            step: step,
            compute: votes.reduce(0) { $0 + $1.computeSeconds } / count,
            fold: votes.reduce(0) { $0 + $1.foldSeconds } / count,
            wait: votes.reduce(0) { $0 + $1.waitSeconds } / count)
    }
}
