import Wire

extension Coordinator {
    /// A worker that has been welcomed, as others may know it.
    package struct Companion: Sendable {
        package let id: PeerID
        package let name: String
        package let hello: Hello
    }

    /// All workers, in the order in which they were welcomed.
    package var company: [Companion] {
        peersInOrder.map { Companion(id: $0.id, name: $0.name, hello: $0.hello) }
    }
}
