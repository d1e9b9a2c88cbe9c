import Wire

/// Decides who forms a ring, in which order, and with which shards.
struct Formation: Sendable {
    private let policy: CoordinatorPolicy
    /// Bytes of a gradient.
    private let vectorBytes: Int
    /// Rings formed, and those since the last commit.
    private(set) var counter: UInt32 = 0
    private(set) var attempts = 0
    /// Processes that have held up the others.
    private var probations = Probations()
    /// Processes of a ring in which one could not read the others' gradients where they lie: sums
    /// travel while all of them take part.
    private var apart: Set<UInt64> = []
    private var routing = Routing()
    private var cut: ShardCut

    init(_ policy: CoordinatorPolicy, parameterCount: Int) {
        self.policy = policy
        vectorBytes = 4 * parameterCount
        cut = ShardCut(policy)
    }

    // MARK: who

    /// Whether nobody waits for this one, since it has held up the others.
    func holdsBack(_ peer: Peer, at now: Instant) -> Bool {
        probations.hold(peer.hello.instance, at: now)
    }

    /// Returns prepared peers, those of one host side by side, at most one for every shard.
    func candidates(_ peers: Peers, committed: Int, at now: Instant) -> [Peer] {
        let all = peers.inOrder.filter(\.isPrepared)
        let trusted = all.filter { !holdsBack($0, at: now) }
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
        let holders = grouped.filter { $0.state.holds == committed }
        let others = grouped.filter { $0.state.holds != committed }
        let chosen = Set((holders + others).prefix(policy.shards).map(\.id))
        return grouped.filter { chosen.contains($0.id) }
    }

    // MARK: rings

    /// Draws the next arrangement of those who hold the committed state, and sends each its roster.
    mutating func draw(
        _ holders: [Peer], committed: Int, at now: Instant, _ outbox: inout Outbox
    ) -> Members {
        let (ring, leftOut) = routing.route(holders, at: now, &outbox)
        for pair in leftOut {
            probations.add(pair.peer.hello.instance, until: pair.end, at: now)
        }
        counter += 1
        attempts += 1
        let members = Members(
            generation: Generation(epoch: policy.run.epoch, counter: counter),
            peers: ring.map(\.id), bounds: cut.bounds(for: ring))
        let names = ring.map(\.name)
        let chunkBytes = routing.chunkBytes(ring, vectorBytes: vectorBytes)
        let boards = boards(ring)
        routing.formed(ring, at: committed)
        cut.formed(ring, at: committed)
        outbox.note(.formed(members.generation, members: names, bounds: members.bounds))
        for (rank, peer) in ring.enumerated() {
            let next = ring[(rank + 1) % ring.count]
            let previous = ring[(rank + ring.count - 1) % ring.count]
            let roster = Roster(
                generation: members.generation, committed: committed, rank: rank,
                bounds: members.bounds, names: names,
                successor: ring.count > 1 ? peer.place(of: next) : nil,
                predecessorIsRelayed: ring.count > 1 && previous.isRelayed(to: peer),
                keys: ring.count > 1 ? keys(previous, next) : nil, chunkBytes: chunkBytes,
                boards: boards)
            outbox.send(.roster(roster), to: peer.id)
        }
        return members
    }

    /// Returns the keys by which a member knows its neighbours; nil where all is plain text.
    private func keys(_ predecessor: Peer, _ successor: Peer) -> RingKeys? {
        guard !predecessor.hello.key.isEmpty, !successor.hello.key.isEmpty else { return nil }
        return RingKeys(
            predecessor: predecessor.hello.key, successor: successor.hello.key,
            encryptsAll: policy.ring.encryptsAll)
    }

    /// Returns the memory in which each member says where its gradients lie, or nothing if sums are
    /// to travel.
    ///
    /// Gradients are summed in place when all members are processes of one host. None of them may
    /// have failed to read the others'. The memory of a process that is killed goes a moment before
    /// the connection that tells of it.
    private func boards(_ ring: [Peer]) -> [MemoryPlace] {
        let boards = ring.compactMap(\.hello.address.board)
        let host = ring.first?.hello.address.hostKey
        let isApart = !apart.isEmpty && apart.isSubset(of: Set(ring.map(\.hello.instance)))
        guard policy.ring.sumsInPlace, !isApart, ring.count > 1, boards.count == ring.count,
            ring.allSatisfy({ $0.hello.address.hostKey == host && !$0.isBehindRelay })
        else { return [] }
        return boards
    }

    /// Whether the members' ring is worth forming anew, though nothing is broken: with shards cut by
    /// speed, or in another order.
    mutating func isWorthChanging(
        _ members: Members, _ peers: Peers, at committed: Int, _ outbox: inout Outbox
    ) -> Bool {
        let ring = members.peers.compactMap { peers[$0] }
        if let note = cut.better(than: members.bounds, ring, at: committed) {
            routing.wait(at: committed)
            outbox.note(note)
            return true
        }
        guard routing.isDetourWorthwhile(ring, vectorBytes: vectorBytes, at: committed) else {
            return false
        }
        routing.wait(at: committed)
        return true
    }

    // MARK: what goes well, and what does not

    /// The ring has folded a step on which all agree.
    mutating func committed() { attempts = 0 }

    /// Notes what links carried in a step.
    mutating func measured(
        _ votes: [Vote], _ members: Members, _ peers: Peers, stepSeconds: Double
    ) {
        routing.measured(votes, members.peers.map { peers[$0] }, stepSeconds: stepSeconds)
    }

    /// A process has held up the others.
    mutating func distrust(_ peer: Peer, at now: Instant) {
        probations.add(peer.hello.instance, policy.deadlines.stall, at: now)
    }

    /// One could not read the others' gradients where they lie.
    mutating func keepApart(_ instances: Set<UInt64>) { apart = instances }

    /// A member did not find these neighbours. It counts unless either has fallen silent itself.
    mutating func missed(_ one: Peer, _ others: [Peer], at now: Instant) {
        guard isFresh(one, at: now) else { return }
        for other in others where isFresh(other, at: now) {
            routing.missed(one, other, policy.deadlines.badLink, at: now)
        }
    }

    private func isFresh(_ peer: Peer, at now: Instant) -> Bool {
        let span = Milliseconds(policy.deadlines.heartbeat.count * 5 / 2)
        return !peer.presence.isSilent(for: span, at: now)
    }

    /// Time between a broken link's report and the next ring. Links that keep breaking are not tried
    /// at full speed.
    var pause: Milliseconds {
        let pause = policy.deadlines.settle.count << min(attempts, 10)
        return Milliseconds(min(pause, policy.deadlines.peerTimeout.count))
    }
}

extension Deadlines {
    /// Time in which two workers that did not find each other are not made neighbours again, at
    /// first.
    var badLink: Milliseconds { Milliseconds(4 * peerTimeout.count) }
}
