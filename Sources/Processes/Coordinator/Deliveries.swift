import Coordination
import Parameters
import Wire

/// The state on disk, on its way to workers that lack it.
struct Deliveries {
    private var streams: [PeerID: StateStream] = [:]

    /// Begins to stream a state to a peer.
    ///
    /// - Returns: what goes out at once.
    mutating func begin(_ state: LoadedState, to peer: PeerID) -> [CoordinatorMessage] {
        streams[peer] = StateStream(
            step: state.step, adamCount: state.adamCount, sections: state.sections)
        return (0..<StateStream.window).compactMap { _ in next(to: peer) }
    }

    /// A peer has stored a slice of a state of `step`.
    ///
    /// - Returns: the next one, if the state is streamed to it.
    mutating func taken(_ step: Int, by peer: PeerID) -> CoordinatorMessage? {
        streams[peer]?.step == step ? next(to: peer) : nil
    }

    private mutating func next(to peer: PeerID) -> CoordinatorMessage? {
        guard let slice = streams[peer]?.take() else {
            end(peer)
            return nil
        }
        return .slice(slice)
    }

    mutating func end(_ peer: PeerID) { streams[peer] = nil }
}
