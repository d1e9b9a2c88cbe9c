import CXXHash

/// The version of everything that dtrain puts on a control connection.
package let protocolVersion = 7

/// What stands in front of every control message: magic, protocol version, kind, checksum.
///
/// Layout, little-endian: magic `DTRN` (4 bytes), protocol version (2), kind (1), zero (1), XXH3-64
/// of the body with the kind as seed (8), body.
package enum Envelope {
    static let magic: UInt32 = 0x4E52_5444
    /// Bytes in front of the body.
    package static let headerSize = 16
    private static let checksumOffset = 8

    /// Returns the message of a kind and a body.
    package static func seal(kind: UInt8, body: [UInt8]) -> [UInt8] {
        seal(kind: kind, bodyBytes: body.count) { $0.append(body) }
    }

    /// Returns the message of a kind and a body of `bodyBytes` bytes, which `write` appends.
    static func seal(
        kind: UInt8, bodyBytes: Int, _ write: (inout ByteWriter) -> Void
    ) -> [UInt8] {
        var writer = ByteWriter(count: headerSize + bodyBytes)
        writer.put(magic)
        writer.put(UInt16(protocolVersion))
        writer.put(kind)
        writer.put(UInt8(0))
        writer.put(UInt64(0))
        write(&writer)
        writer.replace(
            at: checksumOffset, with: checksum(of: writer.bytes[headerSize...], kind: kind))
        return writer.bytes
    }

    /// Returns the kind of `message` and a reader that begins with its body.
    ///
    /// Throws on a foreign magic, another version, damage.
    static func open(_ message: [UInt8]) throws(WireError) -> (kind: UInt8, body: ByteReader) {
        var reader = ByteReader(message)
        guard try reader.integer("magic", as: UInt32.self) == magic else { throw .foreignMagic }
        let version = Int(try reader.integer("protocol version", as: UInt16.self))
        guard version == protocolVersion else {
            throw .otherProtocol(theirs: version, ours: protocolVersion)
        }
        let kind = try reader.integer("kind", as: UInt8.self)
        let zero = try reader.integer("reserved", as: UInt8.self)
        guard zero == 0 else { throw .unknownValue(field: "reserved", value: Int(zero)) }
        let expected = try reader.integer("checksum", as: UInt64.self)
        guard checksum(of: message[headerSize...], kind: kind) == expected else { throw .checksum }
        return (kind, reader)
    }

    /// The kind of a message that may be damaged; nil where there is none.
    static func kind(of message: [UInt8]) -> UInt8? {
        message.count >= headerSize ? message[6] : nil
    }

    /// The kind is the seed, so that a flipped bit in it is noticed too.
    private static func checksum(of body: ArraySlice<UInt8>, kind: UInt8) -> UInt64 {
        body.withUnsafeBytes { dtrain_xxh3_64($0.baseAddress, $0.count, UInt64(kind)) }
    }
}

/// The messages of all kinds that there are.
package enum MessageKinds {
    /// An empty message of every kind, in bytes, by number within those who speak. Not each is one that
    /// a decoder takes.
    package static var empty: [[UInt8]] {
        WorkerMessage.kinds.sealed + CoordinatorMessage.kinds.sealed + LinkMessage.kinds.sealed
            + AdmissionMessage.kinds.sealed + StatusMessage.kinds.sealed
            + DoctorMessage.kinds.sealed
    }
}

extension Kinds {
    fileprivate var sealed: [[UInt8]] { values.map(\.sealed) }
}

extension WireChoice {
    /// The whole message: envelope, kind and fields.
    var sealed: [UInt8] {
        var counter = ByteCounter()
        let kind = Self.code(self, &counter).kind
        precondition(Self.kinds.contains(kind), "nobody can read a message of kind \(kind)")
        return Envelope.seal(kind: kind, bodyBytes: counter.bytes) { writer in
            _ = Self.code(self, &writer)
        }
    }

    /// Reads exactly one whole message of this protocol version.
    ///
    /// Throws on a kind that is none of these, on fields that no sender writes, on bytes that are
    /// missing or left over.
    init(unsealing message: [UInt8]) throws(WireError) {
        var (kind, reader) = try Envelope.open(message)
        guard let blank = Self.kinds[kind] else {
            throw .unknownValue(field: "kind", value: Int(kind))
        }
        self = try Self.code(blank, &reader).value
        try reader.end()
    }
}
