/// The run, as a worker needs to know it.
package struct Welcome: Hashable, Sendable {
    /// Drawn when the run folder was made.
    package var run: UInt64 = 0
    /// Counts the coordinator's incarnations on the run folder.
    package var epoch: UInt32 = 0
    /// The name by which logs and `status` call this worker: w1, w2, …
    package var name = ""
    /// Silence after which a peer counts as gone, in milliseconds; at least 1.
    package var peerTimeoutMilliseconds = 0
    /// The resolved configuration, as JSON of at most `WireLimit.configuration` bytes.
    package var configuration: [UInt8] = []

    /// Makes a welcome of all its parts.
    package init(
        run: UInt64, epoch: UInt32, name: String, peerTimeoutMilliseconds: Int,
        configuration: [UInt8]
    ) {
        self.run = run
        self.epoch = epoch
        self.name = name
        self.peerTimeoutMilliseconds = peerTimeoutMilliseconds
        self.configuration = configuration
    }
}

/// Who folds with whom, and who owns which shards.
package struct Roster: Hashable, Sendable {
    /// The ring that is to be formed.
    package var generation = Generation()
    /// The last committed step: the state that every member must hold.
    package var committed = 0
    /// The receiver's place in the ring, from 0.
    package var rank = 0
    /// Member `i` owns the shards `bounds[i]..<bounds[i + 1]`: none is without shards.
    package var bounds: [Int] = []
    /// The members by rank: from 1 to `WireLimit.members`.
    package var names: [String] = []
    /// Where the next member is; nil for the only one.
    package var successor: PeerAddress?
    /// The predecessor's frames come through the coordinator.
    package var predecessorIsRelayed = false
    /// Nil for the only member, and where all is plain text.
    package var keys: RingKeys?
    /// Bytes of numbers in a frame; 0 leaves that to the workers, which are alike.
    package var chunkBytes = 0
    /// By rank, if all members share a host and sums are made of their gradients in place; else empty.
    package var boards: [MemoryPlace] = []

    /// Makes a roster, by default of workers in plain text whose gradients travel.
    package init(
        generation: Generation, committed: Int, rank: Int, bounds: [Int], names: [String],
        successor: PeerAddress?, predecessorIsRelayed: Bool = false, keys: RingKeys? = nil,
        chunkBytes: Int = 0, boards: [MemoryPlace] = []
    ) {
        self.chunkBytes = chunkBytes
        self.boards = boards
        self.predecessorIsRelayed = predecessorIsRelayed
        self.keys = keys
        self.generation = generation
        self.committed = committed
        self.rank = rank
        self.bounds = bounds
        self.names = names
        self.successor = successor
    }
}

/// How a member knows its neighbours in the ring.
package struct RingKeys: Hashable, Sendable {
    /// Public half of the key that the predecessor named in its hello: `WireLimit.key` bytes.
    package var predecessor: [UInt8] = []
    /// Public half of the key that the successor named in its hello: `WireLimit.key` bytes.
    package var successor: [UInt8] = []
    /// Links within a host are encrypted, too: nothing goes through shared memory or ipc.
    package var encryptsAll = false

    /// Makes keys of all their parts.
    package init(predecessor: [UInt8], successor: [UInt8], encryptsAll: Bool) {
        self.predecessor = predecessor
        self.successor = successor
        self.encryptsAll = encryptsAll
    }
}

/// Compute and fold one step.
package struct StepOrder: Hashable, Sendable {
    /// The ring that is to fold it.
    package var generation = Generation()
    /// The step, counted from 1.
    package var step = 0
    /// The rate that the schedule gives this step.
    package var learningRate: Float = 0
    /// Labels of the whole batch: the loss is a mean over them.
    package var labels = 0
    /// The receiver's shards, in order.
    package var shards: [ShardWords] = []
    /// Whether every layer's gradient and output are to be measured.
    package var measuresLayers = false

    /// Makes an order, by default one that measures no layers.
    package init(
        generation: Generation, step: Int, learningRate: Float, labels: Int,
        shards: [ShardWords], measuresLayers: Bool = false
    ) {
        self.measuresLayers = measuresLayers
        self.generation = generation
        self.step = step
        self.learningRate = learningRate
        self.labels = labels
        self.shards = shards
    }
}

/// The step is in the ledger: update, or count it as skipped.
///
/// It holds in every generation: whoever has folded this total may follow it, however late it comes.
package struct Commit: Hashable, Sendable {
    /// The step's line of the ledger.
    package var line = CommittedLine()
    /// The last step whose line is known to be on the coordinator's disk.
    package var durable = 0

    /// Makes the commit of a line.
    package init(_ line: CommittedLine, durable: Int) {
        self.line = line
        self.durable = durable
    }

    /// The step, counted from 1.
    package var step: Int { line.step }
}

/// Compute the losses of some shards of a held-out batch, with the state after `step`.
package struct EvaluationOrder: Hashable, Sendable {
    /// The last step of the state to compute them from.
    package var step = 0
    /// Index of the held-out batch.
    package var batch = 0
    /// The receiver's shards, in order.
    package var shards: [ShardWords] = []

    /// Makes an order of all its parts.
    package init(step: Int, batch: Int, shards: [ShardWords]) {
        self.step = step
        self.batch = batch
        self.shards = shards
    }
}

// MARK: - Coding

extension Welcome: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.integer(&run, "run")
        try coder.integer(&epoch, "epoch")
        try coder.text(&name, "name")
        try coder.integer(&peerTimeoutMilliseconds, "peer timeout", as: UInt32.self)
        try coder.numbers(&configuration, "configuration", limit: WireLimit.configuration)
        try coder.check(
            peerTimeoutMilliseconds > 0, or: .unknownValue(field: "peer timeout", value: 0))
    }
}

extension Roster: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try generation.code(&coder)
        try coder.step(&committed)
        try coder.integer(&rank, "rank", as: UInt32.self)
        var narrow = bounds.map(Int32.init)
        try coder.numbers(&narrow, "bounds", limit: WireLimit.members + 1)
        bounds = narrow.map(Int.init)
        try coder.each(&names, "names", limit: WireLimit.members)
        try coder.optional(&successor, "has successor")
        try coder.bool(&predecessorIsRelayed, "predecessor is relayed")
        try coder.optional(&keys, "has keys")
        try coder.count(&chunkBytes, "chunk", limit: WireLimit.chunkBytes)
        try coder.each(&boards, "boards", limit: WireLimit.members)
        try coder.check(isRing, or: .unknownValue(field: "roster", value: rank))
    }

    /// Whether all members have shards, and no more is said than what a ring of so many needs.
    private var isRing: Bool {
        let count = names.count
        return count > 0 && rank < count && bounds.count == count + 1 && bounds[0] == 0
            && zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }
            && bounds[count] <= WireLimit.shards && (count > 1) == (successor != nil)
            && (boards.isEmpty || boards.count == count)
    }
}

extension String: WireCodable {
    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.text(&self, "name")
    }
}

extension RingKeys: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.key(&predecessor, "predecessor's key")
        try coder.key(&successor, "successor's key")
        try coder.bool(&encryptsAll, "encrypts all")
    }
}

extension StepOrder: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try generation.code(&coder)
        try coder.step(&step)
        try coder.float(&learningRate, "learning rate")
        try coder.step(&labels, "labels")
        try coder.each(&shards, "shards", limit: WireLimit.shards)
        try coder.bool(&measuresLayers, "measures layers")
    }
}

extension Commit: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try line.code(&coder)
        try coder.step(&durable, "durable step")
    }
}

extension EvaluationOrder: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.step(&step)
        try coder.step(&batch, "batch")
        try coder.each(&shards, "shards", limit: WireLimit.shards)
    }
}
