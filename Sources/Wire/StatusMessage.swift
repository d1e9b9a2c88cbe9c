/// What a client that only wants to know how the run stands says, and hears.
///
/// It needs no hello: its routing identity begins with another byte than a worker's.
package enum StatusMessage: Hashable, Sendable {
    case query
    /// JSON.
    case answer([UInt8])

    /// First byte of the routing identity.
    package static let identityMark: UInt8 = 2

    package var encoded: [UInt8] {
        switch self {
        case .query: return Envelope.seal(kind: 120, body: [])
        case .answer(let json):
            var writer = ByteWriter(reserving: json.count + 4)
            writer.put(json)
            return Envelope.seal(kind: 121, body: writer.bytes)
        }
    }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) {
        var (kind, reader) = try Envelope.open(bytes)
        switch kind {
        case 120: self = .query
        case 121: self = .answer(try reader.content("status", limit: WireLimit.status))
        default: throw .unknownValue(field: "kind", value: Int(kind))
        }
        try reader.end()
    }
}
