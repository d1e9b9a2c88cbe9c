import CXXHash

/// The version of everything that dtrain puts on a control connection.
package let protocolVersion = 5

/// What stands in front of every control message: magic, protocol version, kind, checksum.
///
/// Layout, little-endian: magic `DTRN` (4 bytes), protocol version (2), kind (1), zero (1), XXH3-64
/// of the body with the kind as seed (8), body.
package enum Envelope {
    static let magic: UInt32 = 0x4E52_5444
    package static let headerSize = 16

    package static func seal(kind: UInt8, body: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(reserving: headerSize + body.count)
        writer.put(magic)
        writer.put(UInt16(protocolVersion))
        writer.put(kind)
        writer.put(UInt8(0))
        writer.put(checksum(of: body[...], kind: kind))
        writer.append(body)
        return writer.bytes
    }

    /// The kind and the body of `message`; throws on a foreign magic, another version, damage.
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

    /// The kind is the seed, so that a flipped bit in it is noticed too.
    private static func checksum(of body: ArraySlice<UInt8>, kind: UInt8) -> UInt64 {
        body.withUnsafeBytes { dtrain_xxh3_64($0.baseAddress, $0.count, UInt64(kind)) }
    }
}

/// A message or a part of one that knows its own bytes.
protocol WireCodable {
    func write(to writer: inout ByteWriter)
    init(from reader: inout ByteReader) throws(WireError)
}

/// Limits that every decoder applies before it takes memory.
package enum WireLimit {
    /// Workers in one ring.
    package static let members = 4096
    /// Logical shards of a batch.
    package static let shards = 65_536
    /// Layers of a model.
    package static let layers = 4096
    /// Far from where counting on overflows.
    package static let steps = 1 << 53
    /// Elements of θ, m and v together.
    package static let elements = 1 << 48
    /// Token words of one shard.
    package static let shardWords = 1 << 24
    /// Thirty years: far from where counting its milliseconds overflows.
    package static let seconds = 1e9
    /// Bytes of numbers in a frame of the ring.
    package static let chunkBytes = 256 << 10
    /// Bytes a second of a link.
    package static let rate = 1e12
    /// Bytes of state in one slice.
    package static let sliceBytes = 1 << 20
    /// Elements of θ that one piece of a state covers.
    package static let pieceElements = 1 << 16
    /// Committed lines that a worker keeps.
    package static let lines = 4096
    /// How a run stands, as JSON.
    package static let status = 1 << 22
    /// A name, an endpoint, a reason.
    package static let text = 4096
    /// The configuration of a run.
    package static let configuration = 1 << 20
    /// One whole message to a worker.
    package static let message = 1 << 28
    /// The public half of a key, if there is one.
    package static let key = 32

    /// One whole message to a coordinator: a slice, or what is reported about `shards` shards.
    ///
    /// Strangers may send so much before they have proven anything, so it is kept small.
    package static func report(shards: Int, layers: Int) -> Int {
        2 << 20 + shards * (64 + 32 * layers)
    }
}
