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

/// Takes checkpoints from donors, one at a time.
struct Snapshots: Sendable {
    private let policy: CoordinatorPolicy
    /// Elements of θ.
    private let parameterCount: Int
    private var open: Snapshot?
    /// A checkpoint was due while another snapshot was under way, or it failed.
    private var isOwed = false
    /// No checkpoint is begun before this moment: the disk has just failed.
    private var notBefore: Instant?

    init(_ policy: CoordinatorPolicy, parameterCount: Int) {
        self.policy = policy
        self.parameterCount = parameterCount
    }

    /// The step whose state is under way.
    var step: Int? { open?.step }

    /// Whether a checkpoint is to be begun.
    func isDue(at step: Int, _ now: Instant) -> Bool {
        if let notBefore, now < notBefore { return false }
        return isOwed || policy.checkpoints.isDue(at: step)
    }

    /// Asks a member for the state, unless this step's snapshot is under way; if another's is, the
    /// checkpoint stays owed.
    mutating func begin(
        _ step: Int, donor: PeerID?, at now: Instant, _ outbox: inout Outbox
    ) {
        if open?.step == step { return }
        isOwed = open != nil || donor == nil
        guard !isOwed, let donor else { return }
        ask(donor, for: step, at: now, &outbox)
    }

    /// Asks a donor for the state.
    mutating func ask(
        _ donor: PeerID, for step: Int, at now: Instant, _ outbox: inout Outbox
    ) {
        precondition(open == nil, "two snapshots at once, at step \(step)")
        open = Snapshot(
            step: step, donor: donor, begun: now,
            end: parameterCount * StateSection.allCases.count, lastMovement: now)
        outbox.send(.snapshot(step: step), to: donor)
    }

    /// Ends the snapshot at hand, if there is one; the checkpoint stays owed.
    mutating func close(_ peers: Peers, _ outbox: inout Outbox) {
        guard let last = open else { return }
        open = nil
        // All is with the disk already: it will say how that ended.
        if last.isWhole && last.outstanding.isEmpty { return }
        isOwed = true
        outbox.add(.abandonCheckpoint(step: last.step))
        if peers[last.donor] != nil {
            outbox.send(.abandonSnapshot(step: last.step), to: last.donor)
        }
    }

    /// Ends the snapshot at hand if one of these gives it.
    mutating func close(of donors: [PeerID], _ peers: Peers, _ outbox: inout Outbox) {
        if let open, donors.contains(open.donor) { close(peers, &outbox) }
    }

    /// A peer is gone: what it gave is given up, unless it has given all.
    mutating func leave(_ id: PeerID, _ peers: Peers, _ outbox: inout Outbox) {
        if let open, open.donor == id, !open.isWhole { close(peers, &outbox) }
    }

    // MARK: what donors say

    /// What a donor's word shows.
    enum Finding { case nothing, nonsense, damage }

    /// A copy whose digest is not that of the state as it was written shows that the donor's memory
    /// has changed: no checkpoint is made of it.
    mutating func captured(_ held: HeldState, from donor: Peer) -> Finding {
        guard let open, open.donor == donor.id, open.step == held.step else { return .nothing }
        guard donor.state.holds == held.step, let written = donor.state.written else {
            return .nonsense
        }
        self.open?.digest = held.digest
        return held.digest == written ? .nothing : .damage
    }

    /// A slice goes on to the disk; false if the donor does not keep to its window.
    mutating func store(
        _ slice: StateSlice, from id: PeerID, at now: Instant, _ outbox: inout Outbox
    ) -> Bool {
        guard let open, open.donor == id, open.step == slice.step, open.digest != nil,
            slice.start(count: parameterCount) == open.next,
            slice.elements > 0, slice.elements <= parameterCount - slice.offset
        else { return true }
        guard open.outstanding.count < StateSlice.window else { return false }
        let position = open.next + slice.elements
        self.open?.next = position
        self.open?.lastMovement = now
        self.open?.outstanding.append(position)
        outbox.add(.write(slice, position: position))
        return true
    }

    // MARK: what the disk says

    /// The slice that ends at `position` is stored: the donor may go on.
    ///
    /// - Returns: whether the state is whole on disk.
    mutating func stored(
        _ step: Int, _ position: Int, at now: Instant, _ outbox: inout Outbox
    ) -> Bool {
        guard let open, open.step == step, open.outstanding.first == position else { return false }
        self.open?.outstanding.removeFirst()
        self.open?.lastMovement = now
        outbox.send(.sliceTaken(step: step, position: position), to: open.donor)
        return position == open.end
    }

    /// Looks whether all that hold the snapshot's state wrote the same. A state that is whole on disk
    /// must not get its name if its donor did not.
    ///
    /// - Returns: those that wrote something else, if the donor is among them.
    mutating func mistrusted(_ peers: Peers, _ outbox: inout Outbox) -> [PeerID]? {
        guard let last = open else { return nil }
        let witnesses = peers.inOrder.filter {
            $0.state.holds == last.step && $0.state.written != nil
        }
        guard let odd = witnesses.map({ $0.state.written! }).minority else { return nil }
        let ids = odd.map { witnesses[$0].id }
        guard ids.contains(last.donor) else { return nil }
        open = nil
        isOwed = true
        outbox.add(.abandonCheckpoint(step: last.step))
        return ids
    }

    /// A checkpoint has got its name.
    ///
    /// - Returns: its snapshot, unless that was given up.
    mutating func written(_ step: Int) -> Snapshot? {
        isOwed = false
        guard let last = open, last.step == step else { return nil }
        open = nil
        return last
    }

    /// A checkpoint could not be written.
    ///
    /// - Returns: whether its snapshot was under way.
    mutating func failed(_ step: Int, _ outbox: inout Outbox) -> Bool {
        guard let last = open, last.step == step else { return false }
        open = nil
        outbox.send(.abandonSnapshot(step: step), to: last.donor)
        return true
    }

    /// Tries again after a pause.
    mutating func retry(at now: Instant) -> Milliseconds {
        let pause = policy.deadlines.peerTimeout
        isOwed = true
        notBefore = now + pause
        return pause
    }

    // MARK: waits

    /// A donor that has held up a snapshot for too long, and for how many milliseconds; the disk is
    /// given time.
    func stuck(at now: Instant) -> (donor: PeerID, silence: Int64)? {
        guard let open, open.lastMovement + policy.deadlines.stall < now, !open.isWhole,
            open.outstanding.isEmpty
        else { return nil }
        return (open.donor, now.milliseconds(since: open.lastMovement))
    }

    /// Nobody is judged by the silence before this moment.
    mutating func excuse(at now: Instant) { open?.lastMovement = now }
}

extension StateSlice {
    /// Slices that may be under way between a donor and whoever takes them.
    package static let window = 8

    /// Number of float32 values in the slice.
    package var elements: Int { bytes.count / 4 }

    /// Elements over θ, m and v that lie before this slice; `count`: elements of θ.
    package func start(count: Int) -> Int { Int(section.rawValue) * count + offset }
}
