/// What a client that only wants to know how the run stands says, and hears.
///
/// It needs no hello: its routing identity begins with another byte than a worker's.
package enum StatusMessage: Hashable, Sendable {
    /// How does the run stand?
    case query
    /// JSON of at most `WireLimit.status` bytes.
    case answer([UInt8])

    /// First byte of the routing identity.
    package static let identityMark: UInt8 = 2

    /// The whole message in bytes.
    package var encoded: [UInt8] { sealed }

    /// Throws on anything but exactly one whole message of this protocol version.
    package init(decoding bytes: [UInt8]) throws(WireError) { try self.init(unsealing: bytes) }
}

extension StatusMessage: WireChoice {
    static let kinds = Kinds<Self>(.query, .answer([]))

    static func code<C: Coder>(
        _ message: Self, _ coder: inout C
    ) throws(C.Failure) -> (kind: UInt8, value: Self) {
        switch message {
        case .query: (120, .query)
        case .answer(let json):
            (121, .answer(try coder.bytes(json, "status", limit: WireLimit.status)))
        }
    }
}
