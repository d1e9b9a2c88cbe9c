/// Neighbours in a ring.
package struct RingSides: OptionSet, Hashable, Codable, Sendable {
    /// Bit 0: the predecessor; bit 1: the successor. Others mean nothing.
    package let rawValue: UInt8
    /// Makes the sides whose bits are set.
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The worker whose sums come in.
    package static let predecessor = RingSides(rawValue: 1)
    /// The worker that the sums go to.
    package static let successor = RingSides(rawValue: 2)
}

/// Why nothing more comes of a ring, as one of its members has seen it.
package struct RingFault: Hashable, Codable, Sendable {
    /// What has gone wrong.
    package enum Kind: UInt8, Hashable, Codable, Sendable {
        /// The connection to these neighbours ended.
        case lost = 1
        /// They did not come when the ring was formed.
        case absent
        /// They do not let this worker in, or are not who they should be.
        case refused
        /// They have other shards, chunks or credits in mind.
        case disagreement
        /// They sent what no sound worker sends.
        case violation
        /// Something about this worker itself.
        case own
        /// Gradients of this host's workers can't be read where they lie.
        case apart
    }

    /// What has gone wrong.
    package var kind = Kind.own
    /// The neighbours that it is about; none where it is about this worker alone.
    package var sides = RingSides()
    /// What else is known, for whoever looks for the cause; may be empty. More than
    /// `WireLimit.text` bytes are cut on their way.
    package var detail = ""

    /// Makes a fault, by default without neighbours or detail.
    package init(_ kind: Kind, _ sides: RingSides = [], detail: String = "") {
        self.kind = kind
        self.sides = sides
        self.detail = detail
    }
}

extension RingFault: CustomStringConvertible {
    /// The kind and the neighbours, without the detail: `lost(successor)`.
    package var description: String {
        let names = [(RingSides.predecessor, "predecessor"), (.successor, "successor")]
        let known = names.filter { sides.contains($0.0) }.map(\.1)
        return "\(kind)(\(known.joined(separator: ", ")))"
    }
}

extension RingFault: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.rawValue(&kind, "fault")
        var bits = sides.rawValue
        try coder.integer(&bits, "neighbours")
        sides = RingSides(rawValue: bits)
        try coder.prose(&detail, "detail")
    }
}
