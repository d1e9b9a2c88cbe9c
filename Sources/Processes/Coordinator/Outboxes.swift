import Coordination
import Wire

/// Messages on their way to peers, as far as the socket has not taken them.
struct Outboxes {
    private let door: Door
    private var waiting: [PeerID: [[UInt8]]] = [:]
    /// Peers that could not be sent to: their loss is told when the event at hand is done.
    private var unreachable: Set<PeerID> = []

    /// Messages that may wait for a peer whose queue in the socket is full.
    private static let limit = 512

    init(through door: Door) { self.door = door }

    mutating func send(_ message: CoordinatorMessage, to peer: PeerID) {
        waiting[peer, default: []].append(message.encoded)
        flush(peer)
        // Windows bound what is under way: who lets more than that lie does not read at all.
        guard waiting[peer].map({ $0.count > Self.limit }) ?? false else { return }
        waiting[peer] = nil
        unreachable.insert(peer)
    }

    mutating func flush() {
        for peer in waiting.keys.sorted() { flush(peer) }
    }

    private mutating func flush(_ peer: PeerID) {
        while let first = waiting[peer]?.first {
            switch door.send(first, to: peer) {
            case .sent: waiting[peer]?.removeFirst()
            case .full: return
            case .gone:
                waiting[peer] = nil
                unreachable.insert(peer)
                return
            }
        }
        waiting[peer] = nil
    }

    mutating func forget(_ peer: PeerID) { waiting[peer] = nil }

    /// A peer whose loss is yet to be told.
    mutating func takeUnreachable() -> PeerID? {
        guard let peer = unreachable.min() else { return nil }
        return unreachable.remove(peer)
    }
}
