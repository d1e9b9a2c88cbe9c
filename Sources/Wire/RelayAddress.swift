/// How a worker is called to whom ring frames go through the coordinator.
///
/// A relayed message has two frames: whom it is for (whom it is from, once it has been passed on),
/// and a frame of the ring. An empty one says that the other side is gone.
package enum RelayAddress {
    private static let prefix = "relay:"
    /// First bytes of routing identities: of a connection to a successor, and of the one over which
    /// a successor is reached.
    package static let linkMark: UInt8 = 4
    package static let inboxMark: UInt8 = 5
    package static let byteCount = 9

    /// In place of a tcp endpoint.
    package static func endpoint(ofInstance instance: UInt64) -> String {
        prefix + hexadecimal(instance)
    }

    package static func isEndpoint(_ text: String) -> Bool { text.hasPrefix(prefix) }

    /// The routing identity of the inbox that an endpoint names; nil for any other endpoint.
    package static func inbox(_ endpoint: String) -> [UInt8]? {
        guard isEndpoint(endpoint),
            let instance = UInt64(endpoint.dropFirst(prefix.count), radix: 16)
        else { return nil }
        return inbox(ofInstance: instance)
    }

    package static func inbox(ofInstance instance: UInt64) -> [UInt8] {
        [inboxMark] + (0..<8).map { UInt8(truncatingIfNeeded: instance >> (8 * $0)) }
    }

    package static func isIdentity(_ bytes: [UInt8]) -> Bool {
        bytes.count == byteCount && (bytes[0] == linkMark || bytes[0] == inboxMark)
    }
}
