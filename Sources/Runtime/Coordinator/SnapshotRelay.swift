import Coordination
import Wire

/// Passes the slices of one snapshot from its donor on, and paces the donor by those who take them.
struct SnapshotRelay {
    let step: Int
    let donor: PeerID
    let toDisk: Bool
    private(set) var targets: [PeerID]
    /// For every slice under way, who has not taken it yet; nil stands for the disk.
    private var outstanding: [Int: Set<PeerID?>] = [:]
    private let count: Int

    /// `count`: elements of θ.
    init(step: Int, donor: PeerID, toDisk: Bool, targets: [PeerID], count: Int) {
        self.step = step
        self.donor = donor
        self.toDisk = toDisk
        self.targets = targets
        self.count = count
    }

    /// A slice has come: the position behind it, nil if it is not of this snapshot.
    mutating func opened(_ slice: StateSlice, from peer: PeerID) -> Int? {
        guard peer == donor, slice.step == step, slice.bytes.count / 4 <= count,
            slice.offset <= count
        else { return nil }
        let position = StateStream.position(after: slice, count: count)
        outstanding[position] = Set(targets.map { $0 } + (toDisk ? [nil] : []))
        return position
    }

    /// Someone has stored the slice that ends at `position`: whether the donor may send another.
    mutating func taken(by peer: PeerID?, position: Int) -> Bool {
        guard outstanding[position]?.remove(peer) != nil, outstanding[position]?.isEmpty == true
        else { return false }
        outstanding[position] = nil
        return true
    }

    func isEnd(_ position: Int) -> Bool { position == StateStream.end(count: count) }
}
