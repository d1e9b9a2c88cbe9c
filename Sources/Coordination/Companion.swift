import Wire

extension Coordinator {
    /// A worker that has been welcomed, as others may know it.
    package struct Companion: Sendable {
        /// The identity of its control connection.
        package let id: PeerID
        /// The name that the coordinator gave it, as `w3`.
        package let name: String
        /// The words with which it introduced itself: its address, its key, its number of lanes.
        package let hello: Hello
    }
}
