import Parameters

/// The names under which ring frames reach a worker through the coordinator.
///
/// A relayed message has two frames: whom it is for (whom it is from, once it has been passed on),
/// and a frame of the ring. An empty one says that the other side is gone.
package enum RelayAddress {
    private static let prefix = "relay:"
    /// First byte of the routing identity of a connection to a successor.
    package static let linkMark: UInt8 = 4
    /// First byte of the routing identity of a connection over which a successor is reached.
    package static let inboxMark: UInt8 = 5
    /// Bytes of a routing identity.
    package static let byteCount = 9

    /// Returns what a worker that is behind a relay names in place of a tcp endpoint.
    package static func endpoint(ofInstance instance: UInt64) -> String {
        prefix + hexadecimal(instance)
    }

    /// Returns whether an endpoint names a worker behind a relay.
    package static func isEndpoint(_ text: String) -> Bool { text.hasPrefix(prefix) }

    /// Returns the routing identity of the inbox that an endpoint names; nil for any other endpoint.
    package static func inbox(_ endpoint: String) -> [UInt8]? {
        guard isEndpoint(endpoint),
            let instance = UInt64(endpoint.dropFirst(prefix.count), radix: 16)
        else { return nil }
        return inbox(ofInstance: instance)
    }

    /// Returns the routing identity of a worker's inbox: the mark, then the number that the worker
    /// drew when it started, little-endian.
    package static func inbox(ofInstance instance: UInt64) -> [UInt8] {
        var writer = ByteWriter(count: byteCount)
        writer.put(inboxMark)
        writer.put(instance)
        return writer.bytes
    }

    /// Returns whether a routing identity belongs to a relay's connections.
    package static func isIdentity(_ bytes: [UInt8]) -> Bool {
        bytes.count == byteCount && (bytes[0] == linkMark || bytes[0] == inboxMark)
    }
}
