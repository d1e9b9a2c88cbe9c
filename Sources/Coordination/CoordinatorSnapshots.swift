import Parameters
import Wire

/// The state of one step on its way from a donor to the disk.
///
/// The donor may be `window` slices ahead of the disk, so that nothing piles up.
struct Snapshot: Sendable {
    let step: Int
    let donor: PeerID
    let begun: Instant
    /// Elements of all three sections.
    let end: Int
    /// The digest of the donor's copy, once it has told.
    var digest: FastDigest?
    var next = 0
    /// Elements over θ, m and v that lie before the end of each slice that is yet to be stored.
    var outstanding: [Int] = []
    var lastMovement: Instant

    /// The donor has nothing more to give.
    var isWhole: Bool { next == end }
}

/// Takes checkpoints from donors, and gives up those that hold them up.
extension Coordinator {
    mutating func openSnapshot(donor: PeerID, at now: Instant) {
        precondition(snapshot == nil, "two snapshots at once, at step \(committed)")
        snapshot = Snapshot(
            step: committed, donor: donor, begun: now,
            end: parameterCount * StateSection.allCases.count,
            lastMovement: now)
        send(.snapshot(step: committed), to: donor)
    }

    /// Ends the snapshot at hand, if there is one; the checkpoint stays owed.
    mutating func closeSnapshot() {
        guard let open = snapshot else { return }
        snapshot = nil
        // All is with the disk already: it will say how that ended.
        if open.isWhole && open.outstanding.isEmpty { return }
        checkpointIsOwed = true
        actions.append(.abandonCheckpoint(step: open.step))
        if peers[open.donor] != nil { send(.abandonSnapshot(step: open.step), to: open.donor) }
    }

    /// A copy whose digest is not that of the state as it was written shows that the donor's memory
    /// has changed: no checkpoint is made of it.
    mutating func captured(_ held: HeldState, from id: PeerID, at now: Instant) {
        guard let open = snapshot, open.donor == id, open.step == held.step else { return }
        guard peers[id]?.holds == held.step, let written = peers[id]?.written else {
            return lost(id, .spokeNonsense, at: now)
        }
        snapshot?.digest = held.digest
        if held.digest != written { mistrust([id], of: held.step, at: now) }
    }

    /// Makes those with a damaged state take it anew; the others fold the step at hand.
    private mutating func mistrust(_ odd: [PeerID], of step: Int, at now: Instant) {
        closeSnapshot()
        note(.stateDiffers(step: step + 1, names: names(of: odd)))
        for id in odd where peers[id]?.holds == step {
            peers[id]?.holds = nil
            peers[id]?.written = nil
        }
        stage == .saving ? save(at: now) : assemble(at: now)
    }

    /// Whether all that hold the snapshot's state wrote the same; those that did not are named.
    private mutating func isTrusted(_ open: Snapshot, at now: Instant) -> Bool {
        let witnesses = peersInOrder.filter { $0.holds == open.step && $0.written != nil }
        guard let odd = minority(witnesses.map { $0.written! }) else { return true }
        let names = odd.map { witnesses[$0].id }
        guard names.contains(open.donor) else { return true }
        // It is whole on disk, but must not get its name.
        snapshot = nil
        checkpointIsOwed = true
        actions.append(.abandonCheckpoint(step: open.step))
        mistrust(names, of: open.step, at: now)
        return false
    }

    mutating func store(_ slice: StateSlice, from id: PeerID, at now: Instant) {
        guard let open = snapshot, open.donor == id, open.step == slice.step, open.digest != nil,
            slice.start(count: parameterCount) == open.next,
            slice.elements > 0, slice.elements <= parameterCount - slice.offset
        else { return }
        guard open.outstanding.count < StateSlice.window else {
            return lost(id, .spokeNonsense, at: now)
        }
        let position = open.next + slice.elements
        snapshot?.next = position
        snapshot?.lastMovement = now
        snapshot?.outstanding.append(position)
        actions.append(.write(slice, position: position))
    }

    /// The disk has stored the slice that ends at `position`: the donor may go on.
    mutating func taken(_ step: Int, _ position: Int, at now: Instant) {
        movements += 1
        guard let open = snapshot, open.step == step, open.outstanding.first == position else {
            return
        }
        snapshot?.outstanding.removeFirst()
        snapshot?.lastMovement = now
        send(.sliceTaken(step: step, position: position), to: open.donor)
        guard position == open.end, isTrusted(open, at: now) else { return }
        actions.append(.commitCheckpoint(step: step))
    }

    /// A peer is gone: what it gave is given up.
    mutating func leaveSnapshot(_ id: PeerID) {
        guard let open = snapshot, open.donor == id, !open.isWhole else { return }
        closeSnapshot()
    }

    /// Gives up a donor that has held up a snapshot for too long; the disk is given time.
    mutating func watchSnapshot(at now: Instant) {
        guard let open = snapshot, open.lastMovement + policy.deadlines.stall < now,
            !open.isWhole, open.outstanding.isEmpty
        else { return }
        let silence = now.milliseconds(since: open.lastMovement)
        lost(open.donor, .stuck(milliseconds: silence), at: now)
    }
}

extension StateSlice {
    /// Slices that may be under way between a donor and whoever takes them.
    package static let window = 8

    /// Number of float32 values in the slice.
    package var elements: Int { bytes.count / 4 }

    /// Elements over θ, m and v that lie before this slice; `count`: elements of θ.
    package func start(count: Int) -> Int { Int(section.rawValue) * count + offset }
}
