import Parameters

/// Where a worker's ring socket can be reached, and on which host that is.
package struct PeerAddress: Hashable, Codable, Sendable {
    /// Boot id, network namespace and host name: processes with equal keys share a host.
    package var hostKey = ""
    /// The host's name, for people.
    package var hostName = ""
    /// A ZeroMQ endpoint for workers of the same host; empty where there is none.
    package var ipc = ""
    /// A ZeroMQ endpoint for all others, or the name of `RelayAddress`.
    package var tcp = ""
    /// Where it will say what its gradients lie in; nil if it has no memory to share.
    package var board: MemoryPlace?

    /// Makes an address; each text is of at most `WireLimit.text` bytes.
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
package struct MemoryPlace: Hashable, Codable, Sendable {
    /// Id of the process that holds the descriptor.
    package var process: Int32 = 0
    /// The descriptor's number in that process.
    package var descriptor: Int32 = 0
    /// Device and inode of the file, by which a reused number is noticed.
    package var device: UInt64 = 0
    /// The inode of the file.
    package var inode: UInt64 = 0
    /// The file's size in bytes.
    package var byteCount = 0

    /// Makes a place of all its parts.
    package init(
        process: Int32, descriptor: Int32, device: UInt64, inode: UInt64, byteCount: Int
    ) {
        self.process = process
        self.descriptor = descriptor
        self.device = device
        self.inode = inode
        self.byteCount = byteCount
    }
}

/// One logical shard's index and its flattened tokens.
package struct ShardWords: Hashable, Sendable {
    /// Index of the shard in the batch: less than `WireLimit.shards`.
    package var shard = 0
    /// The shard's tokens and where its sequences end, as Text flattens them: at most
    /// `WireLimit.shardWords`.
    package var words: [Int32] = []

    /// Makes the words of a shard.
    package init(shard: Int, words: [Int32]) {
        self.shard = shard
        self.words = words
    }
}

/// What one shard contributed to the loss.
package struct ShardReport: Hashable, Sendable {
    /// Index of the shard in the batch: less than `WireLimit.shards`.
    package var shard = 0
    /// Sum over labels of the smoothed loss, in nats.
    package var smoothed = 0.0
    /// Sum over labels of -log p, in nats.
    package var negativeLogLikelihood = 0.0
    /// Number of labels of the shard.
    package var labels = 0
    /// For each layer Σ of the squares of what it gave, and of how many numbers; empty unless asked for.
    package var activity: [Double] = []

    /// Makes a report, by default without measurements of layers.
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

    /// Whether neither loss is a NaN or an infinity.
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
package enum Refusal: Hashable, Codable, Sendable {
    /// The software of worker and coordinator differs.
    case version(theirs: String, ours: String)
    /// The same arithmetic gave other bits; names of the product kernels.
    case arithmetic(theirs: String, ours: String)
    /// There are `limit` workers already.
    case full(limit: Int)
    /// The run is over.
    case finished
}

// MARK: - Coding

extension FastDigest: WireCodable {
    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.integer(&high, "digest")
        try coder.integer(&low, "digest")
    }
}

extension PeerAddress: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.text(&hostKey, "host key")
        try coder.text(&hostName, "host name")
        try coder.text(&ipc, "ipc endpoint")
        try coder.text(&tcp, "tcp endpoint")
        try coder.optional(&board, "has board")
    }
}

extension MemoryPlace: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.integer(&process, "process")
        try coder.integer(&descriptor, "descriptor")
        try coder.integer(&device, "device")
        try coder.integer(&inode, "inode")
        // Of an unsound number memory of no size is left, which nobody opens.
        var bytes = UInt64(byteCount)
        try coder.integer(&bytes, "bytes")
        byteCount = Int(exactly: bytes) ?? 0
    }
}

extension ShardWords: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.shard(&shard)
        try coder.numbers(&words, "tokens", limit: WireLimit.shardWords)
    }
}

extension ShardReport: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.shard(&shard)
        try coder.double(&smoothed, "smoothed loss")
        try coder.double(&negativeLogLikelihood, "negative log likelihood")
        try coder.count(&labels, "labels", limit: WireLimit.shardWords)
        try coder.numbers(&activity, "activity", limit: 2 * WireLimit.layers)
    }
}

extension Refusal: WireCodable {
    init() { self = .finished }

    /// A code and two texts, whatever the code says of them.
    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        var (code, first, second): (UInt8, String, String) =
            switch self {
            case .version(let theirs, let ours): (0, theirs, ours)
            case .arithmetic(let theirs, let ours): (1, theirs, ours)
            case .full(let limit): (2, String(limit), "")
            case .finished: (3, "", "")
            }
        try coder.integer(&code, "refusal")
        try coder.text(&first, "refusal")
        try coder.text(&second, "refusal")
        switch code {
        case 0: self = .version(theirs: first, ours: second)
        case 1: self = .arithmetic(theirs: first, ours: second)
        case 2: self = .full(limit: Int(first) ?? 0)
        case 3: self = .finished
        default: try coder.check(false, or: .unknownValue(field: "refusal", value: Int(code)))
        }
    }
}
