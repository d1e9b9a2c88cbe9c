/// What is said on a connection under the token's key, before a worker speaks under its own.
///
/// Its routing identity begins with another byte than a worker's or an asker's.
package enum AdmissionMessage: Hashable, Sendable {
    /// Let this key in from now on: 32 bytes.
    case register(key: [UInt8])
    case registered
    /// The token in the run folder is another now: read it.
    case readToken
    /// It was read; so many workers were given it.
    case tokenRead(workers: Int)

    /// First byte of the routing identity.
    package static let identityMark: UInt8 = 3

    package var encoded: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .register(let key):
            writer.put(key)
            return Envelope.seal(kind: 110, body: writer.bytes)
        case .registered: return Envelope.seal(kind: 111, body: [])
        case .readToken: return Envelope.seal(kind: 112, body: [])
        case .tokenRead(let workers):
            writer.put(UInt32(workers))
            return Envelope.seal(kind: 113, body: writer.bytes)
        }
    }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) {
        var (kind, reader) = try Envelope.open(bytes)
        switch kind {
        case 110:
            let key = try reader.key("key")
            guard !key.isEmpty else { throw .unknownValue(field: "key", value: 0) }
            self = .register(key: key)
        case 111: self = .registered
        case 112: self = .readToken
        case 113: self = .tokenRead(workers: Int(try reader.integer("workers", as: UInt32.self)))
        default: throw .unknownValue(field: "kind", value: Int(kind))
        }
        try reader.end()
    }
}
