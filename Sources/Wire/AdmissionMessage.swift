/// What is said on a connection under the token's key, before a worker speaks under its own.
///
/// Its routing identity begins with another byte than a worker's or an asker's.
package enum AdmissionMessage: Hashable, Sendable {
    /// Let this key in from now on: 32 bytes.
    case register(key: [UInt8])
    /// The key is let in.
    case registered
    /// The token in the run folder is another now: read it.
    case readToken
    /// It was read; so many workers were given it.
    case tokenRead(workers: Int)

    /// First byte of the routing identity.
    package static let identityMark: UInt8 = 3

    /// The whole message in bytes.
    package var encoded: [UInt8] { sealed }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) { try self.init(unsealing: bytes) }
}

extension AdmissionMessage: WireChoice {
    static let kinds = Kinds<Self>(
        .register(key: []), .registered, .readToken, .tokenRead(workers: 0))

    static func code<C: Coder>(
        _ message: Self, _ coder: inout C
    ) throws(C.Failure) -> (kind: UInt8, value: Self) {
        switch message {
        case .register(let key): (110, .register(key: try coder.key(key, "key")))
        case .registered: (111, .registered)
        case .readToken: (112, .readToken)
        case .tokenRead(let workers):
            (113, .tokenRead(workers: try coder.integer(workers, "workers", as: UInt32.self)))
        }
    }
}
