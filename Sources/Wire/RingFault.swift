/// Neighbours in a ring.
package struct RingSides: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let predecessor = RingSides(rawValue: 1)
    package static let successor = RingSides(rawValue: 2)
}

/// Why nothing more comes of a ring, as one of its members has seen it.
package struct RingFault: Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable {
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

    package var kind: Kind
    package var sides: RingSides
    /// What else is known, for whoever looks for the cause; may be empty.
    package var detail: String

    package init(_ kind: Kind, _ sides: RingSides = [], detail: String = "") {
        self.kind = kind
        self.sides = sides
        self.detail = detail
    }
}

extension RingFault: CustomStringConvertible {
    package var description: String {
        let names = [(RingSides.predecessor, "predecessor"), (.successor, "successor")]
        let known = names.filter { sides.contains($0.0) }.map(\.1)
        return "\(kind)(\(known.joined(separator: ", ")))"
    }
}

extension RingFault: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(kind.rawValue)
        writer.put(sides.rawValue)
        writer.put(clipped: detail)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            try reader.value("fault"),
            RingSides(rawValue: try reader.integer("neighbours")),
            detail: try reader.text("detail", limit: WireLimit.text))
    }
}
