/// A 128-bit digest as it travels.
package struct WireDigest: Hashable, Sendable, CustomStringConvertible {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads what `description` wrote; nil for anything else.
    package init?(_ description: String) {
        guard description.utf8.count == 32, description.allSatisfy(\.isHexDigit),
            let high = UInt64(description.prefix(16), radix: 16),
            let low = UInt64(description.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    package var description: String { hexadecimal(high) + hexadecimal(low) }
}

/// Sixteen hexadecimal digits.
package func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

/// Where a worker's ring socket can be reached, and on which host that is.
package struct PeerAddress: Hashable, Sendable {
    /// Boot id, network namespace and host name: processes with equal keys share a host.
    package var hostKey: String
    package var hostName: String
    package var ipc: String
    package var tcp: String
    /// Where it will say what its gradients lie in; nil if it has no memory to share.
    package var board: MemoryPlace?

    package init(
        hostKey: String, hostName: String, ipc: String, tcp: String, board: MemoryPlace? = nil
    ) {
        self.hostKey = hostKey
        self.hostName = hostName
        self.ipc = ipc
        self.tcp = tcp
        self.board = board
    }
}

/// Memory that a process of the same host can open: whose descriptor, and of which file.
package struct MemoryPlace: Hashable, Sendable {
    package var process: Int32
    package var descriptor: Int32
    package var device: UInt64
    package var inode: UInt64
    package var bytes: UInt64

    package init(
        process: Int32, descriptor: Int32, device: UInt64, inode: UInt64, bytes: UInt64
    ) {
        self.process = process
        self.descriptor = descriptor
        self.device = device
        self.inode = inode
        self.bytes = bytes
    }
}

/// One logical shard's index and its flattened tokens.
package struct ShardWords: Hashable, Sendable {
    package var shard: Int
    package var words: [Int32]

    package init(shard: Int, words: [Int32]) {
        self.shard = shard
        self.words = words
    }
}

/// What one shard contributed to the loss.
package struct ShardReport: Hashable, Sendable {
    package var shard: Int
    /// Sum over labels of the smoothed loss, in nats.
    package var smoothed: Double
    /// Sum over labels of -log p, in nats.
    package var negativeLogLikelihood: Double
    package var labels: Int
    /// For each layer Σ of the squares of what it gave, and of how many numbers; empty unless asked for.
    package var activity: [Double]

    package init(
        shard: Int, smoothed: Double, negativeLogLikelihood: Double, labels: Int,
        activity: [Double] = []
    ) {
        self.activity = activity
        self.shard = shard
        self.smoothed = smoothed
        self.negativeLogLikelihood = negativeLogLikelihood
        self.labels = labels
    }

    package var isFinite: Bool { smoothed.isFinite && negativeLogLikelihood.isFinite }
}

/// The three vectors of a training state, in the order in which they travel and are stored.
package enum StateSection: UInt8, CaseIterable, Sendable {
    case parameters, firstMoment, secondMoment
}

/// What a worker is doing, as heartbeats and `status` say it.
package enum WorkerPhase: UInt8, CaseIterable, Sendable {
    case joining, preparing, waiting, receivingState, forming, computing, folding, voting, updating
    case evaluating
}

/// Why a worker is not let in.
package enum Refusal: Hashable, Sendable {
    case version(theirs: String, ours: String)
    case arithmetic(theirs: String, ours: String)
    case full(limit: Int)
    case finished
}

extension Generation: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(epoch)
        writer.put(counter)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(epoch: try reader.integer("epoch"), counter: try reader.integer("generation"))
    }
}

extension WireDigest: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(high)
        writer.put(low)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(high: try reader.integer("digest"), low: try reader.integer("digest"))
    }
}

extension PeerAddress: WireCodable {
    func write(to writer: inout ByteWriter) {
        for text in [hostKey, hostName, ipc, tcp] { writer.put(text) }
        writer.put(board != nil)
        board?.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            hostKey: try reader.text("host key", limit: WireLimit.text),
            hostName: try reader.text("host name", limit: WireLimit.text),
            ipc: try reader.text("ipc endpoint", limit: WireLimit.text),
            tcp: try reader.text("tcp endpoint", limit: WireLimit.text),
            board: try reader.bool("has board") ? try MemoryPlace(from: &reader) : nil)
    }
}

extension MemoryPlace: WireCodable {
    static let stride = 32

    func write(to writer: inout ByteWriter) {
        writer.put(process)
        writer.put(descriptor)
        writer.put(device)
        writer.put(inode)
        writer.put(bytes)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            process: try reader.integer("process"), descriptor: try reader.integer("descriptor"),
            device: try reader.integer("device"), inode: try reader.integer("inode"),
            bytes: try reader.integer("bytes"))
    }
}

extension ShardWords: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(UInt32(shard))
        writer.put(words)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            shard: try reader.shard(),
            words: try reader.int32s("tokens", limit: WireLimit.shardWords))
    }
}

extension ShardReport: WireCodable {
    func write(to writer: inout ByteWriter) {
        writer.put(UInt32(shard))
        writer.put(smoothed)
        writer.put(negativeLogLikelihood)
        writer.put(UInt64(labels))
        writer.put(activity)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            shard: try reader.shard(),
            smoothed: try reader.double("smoothed loss"),
            negativeLogLikelihood: try reader.double("negative log likelihood"),
            labels: try reader.count("labels", limit: WireLimit.shardWords),
            activity: try reader.doubles("activity", limit: 2 * WireLimit.layers))
    }
}

extension Refusal: WireCodable {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .version(let theirs, let ours): write(0, theirs, ours, to: &writer)
        case .arithmetic(let theirs, let ours): write(1, theirs, ours, to: &writer)
        case .full(let limit): write(2, String(limit), "", to: &writer)
        case .finished: write(3, "", "", to: &writer)
        }
    }

    private func write(
        _ code: UInt8, _ first: String, _ second: String, to writer: inout ByteWriter
    ) {
        writer.put(code)
        writer.put(first)
        writer.put(second)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let code = try reader.integer("refusal", as: UInt8.self)
        let first = try reader.text("refusal", limit: WireLimit.text)
        let second = try reader.text("refusal", limit: WireLimit.text)
        switch code {
        case 0: self = .version(theirs: first, ours: second)
        case 1: self = .arithmetic(theirs: first, ours: second)
        case 2: self = .full(limit: Int(first) ?? 0)
        case 3: self = .finished
        default: throw .unknownValue(field: "refusal", value: Int(code))
        }
    }
}

extension ByteWriter {
    mutating func put<Value: WireCodable>(each values: [Value]) {
        put(UInt32(values.count))
        for value in values { value.write(to: &self) }
    }
}

extension ByteReader {
    /// The index of a shard.
    mutating func shard() throws(WireError) -> Int {
        let shard = Int(try integer("shard", as: UInt32.self))
        guard shard < WireLimit.shards else {
            throw .tooLong(field: "shard", count: shard, limit: WireLimit.shards - 1)
        }
        return shard
    }

    /// A counted sequence; every element takes at least `stride` bytes.
    mutating func each<Value: WireCodable>(
        _ field: String, limit: Int, stride: Int
    ) throws(WireError) -> [Value] {
        let count = try length(field, limit: limit, stride: stride)
        var values: [Value] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try Value(from: &self)) }
        return values
    }

    /// A public key, or nothing.
    mutating func key(_ field: String) throws(WireError) -> [UInt8] {
        let key = try content(field, limit: WireLimit.key)
        guard key.isEmpty || key.count == WireLimit.key else {
            throw .unknownValue(field: field, value: key.count)
        }
        return key
    }

    mutating func value<Value: RawRepresentable>(
        _ field: String
    ) throws(WireError) -> Value where Value.RawValue == UInt8 {
        let raw = try integer(field, as: UInt8.self)
        guard let value = Value(rawValue: raw) else {
            throw .unknownValue(field: field, value: Int(raw))
        }
        return value
    }
}
