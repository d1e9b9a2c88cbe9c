import Wire

/// The state of one step on its way from a donor to the disk or to workers that lack it.
///
/// The donor may be `window` slices ahead of the slowest who takes them, so that nothing piles up.
struct Snapshot: Sendable {
    struct Outstanding: Sendable {
        /// Elements over θ, m and v that lie before the slice's end.
        var position: Int
        /// Who has yet to store it; nil stands for the disk.
        var takers: Set<PeerID?>
    }

    let step: Int
    let donor: PeerID
    let toDisk: Bool
    var targets: [PeerID]
    /// Elements of all three sections.
    let end: Int
    var next = 0
    var outstanding: [Outstanding] = []
    var lastMovement: Instant

    var takers: Set<PeerID?> { toDisk ? [nil] : Set(targets) }
    /// The donor has nothing more to give.
    var isWhole: Bool { next == end }
}

/// State on its way: who gives, who takes, who holds it up.
extension Coordinator {
    mutating func openSnapshot(donor: PeerID, toDisk: Bool, to targets: [PeerID], at now: Instant) {
        precondition(snapshot == nil, "two snapshots at once, at step \(committed)")
        snapshot = Snapshot(
            step: committed, donor: donor, toDisk: toDisk, targets: targets,
            end: parameterCount * StateSection.allCases.count, lastMovement: now)
        send(.snapshot(step: committed), to: donor)
    }

    /// Ends the snapshot at hand, if there is one; a checkpoint that it was to become stays owed.
    mutating func closeSnapshot() {
        guard let open = snapshot else { return }
        snapshot = nil
        // All is with the disk already: it will say how that ended.
        if open.toDisk && open.isWhole && open.outstanding.isEmpty { return }
        if open.toDisk {
            checkpointIsOwed = true
            actions.append(.abandonCheckpoint(step: open.step))
        }
        if peers[open.donor] != nil { send(.abandonSnapshot(step: open.step), to: open.donor) }
    }

    mutating func relay(_ slice: StateSlice, from id: PeerID, at now: Instant) {
        guard let open = snapshot, open.donor == id, open.step == slice.step,
            slice.start(count: parameterCount) == open.next,
            slice.elements > 0, slice.elements <= parameterCount - slice.offset
        else { return }
        guard open.outstanding.count < StateSlice.window else {
            return lost(id, .spokeNonsense, at: now)
        }
        let position = open.next + slice.elements
        snapshot?.next = position
        snapshot?.lastMovement = now
        snapshot?.outstanding.append(
            Snapshot.Outstanding(position: position, takers: open.takers))
        if open.toDisk { actions.append(.write(slice, position: position)) }
        for target in open.targets { send(.slice(slice), to: target) }
    }

    /// Someone has stored the slice that ends at `position`: a worker, or the disk (nil).
    mutating func taken(_ step: Int, _ position: Int, by id: PeerID?, at now: Instant) {
        movements += 1
        guard let open = snapshot, open.step == step,
            let index = open.outstanding.firstIndex(where: { $0.position == position }),
            open.outstanding[index].takers.contains(id)
        else { return }
        snapshot?.outstanding[index].takers.remove(id)
        snapshot?.lastMovement = now
        release()
    }

    /// Lets the donor go on for every slice that all have taken.
    private mutating func release() {
        while let open = snapshot, let first = open.outstanding.first, first.takers.isEmpty {
            snapshot?.outstanding.removeFirst()
            send(.sliceTaken(step: open.step, position: first.position), to: open.donor)
            if open.toDisk && first.position == open.end {
                actions.append(.commitCheckpoint(step: open.step))
            }
        }
    }

    /// A peer is gone: what it gave or took is given up, the rest goes on.
    mutating func leaveSnapshot(_ id: PeerID) {
        guard let open = snapshot else { return }
        if open.donor == id && !(open.toDisk && open.isWhole) { return closeSnapshot() }
        guard open.targets.contains(id) else { return }
        if open.targets.count == 1 { return closeSnapshot() }
        snapshot?.targets.removeAll { $0 == id }
        for index in open.outstanding.indices { snapshot?.outstanding[index].takers.remove(id) }
        release()
    }

    /// Gives up whoever has held up a snapshot for too long; the disk is given time.
    mutating func watchSnapshot(at now: Instant) {
        guard let open = snapshot, open.lastMovement + policy.deadlines.stall < now else { return }
        if open.toDisk && (open.isWhole || !open.outstanding.isEmpty) { return }
        let late = Set(open.outstanding.flatMap(\.takers)).compactMap { $0 }.sorted()
        let silence = now.milliseconds(since: open.lastMovement)
        for id in late.isEmpty ? [open.donor] : late {
            lost(id, .stuck(milliseconds: silence), at: now)
        }
    }
}

extension StateSlice {
    /// Slices that may be under way between a donor and whoever takes them.
    package static let window = 8

    package var elements: Int { bytes.count / 4 }

    /// Elements over θ, m and v that lie before this slice; `count`: elements of θ.
    package func start(count: Int) -> Int { Int(section.rawValue) * count + offset }
}
