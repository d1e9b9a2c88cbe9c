/// What the coordinator says to a worker.
package enum CoordinatorMessage: Hashable, Sendable {
    case welcome(Welcome)
    case refused(Refusal)
    /// What comes next, `initialise`, slices or pieces, replaces the state in memory.
    case newState(number: UInt32)
    /// The state that has arrived is the run's: it may be gone on from.
    case proven(step: Int)
    /// Draw θ from the run's seed; m and v are zero: the state before step 1.
    case initialise
    /// A piece of the state that the worker lacks.
    case slice(StateSlice)
    /// Copy θ, m, v as they are after `step` and stream the copy.
    case snapshot(step: Int)
    /// The slice that ended at `position` has been passed on; another may be sent.
    case sliceTaken(step: Int, position: Int)
    /// Stop streaming.
    case abandonSnapshot(step: Int)
    /// Give a piece to one who learns the state; answered by `piece`.
    case givePiece(PieceRequest)
    /// A piece of the state that is learned while training goes on.
    case piece(StatePiece)
    /// The step was skipped: what is there of the state before it is the state after it.
    case passStep(Int)
    case roster(Roster)
    case step(StepOrder)
    case commit(Commit)
    case evaluate(EvaluationOrder)
    case heartbeat
    /// This connection is not counted (any more): make another and say hello.
    case sayHello
    /// The run's token from now on.
    case token(String)
    case finish(reason: String)
}

/// The run, as a worker needs to know it.
package struct Welcome: Hashable, Sendable {
    package var run: UInt64
    package var epoch: UInt32
    /// The name by which logs and `status` call this worker: w1, w2, …
    package var name: String
    package var peerTimeoutMilliseconds: Int
    /// The resolved configuration, as JSON.
    package var configuration: [UInt8]

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
    package var generation: Generation
    /// The last committed step: the state that every member must hold.
    package var committed: Int
    package var rank: Int
    /// Member `i` owns the shards `bounds[i]..<bounds[i + 1]`.
    package var bounds: [Int]
    package var names: [String]
    package var successor: PeerAddress?
    /// The predecessor's frames come through the coordinator.
    package var predecessorIsRelayed: Bool
    /// Nil for the only member, and where all is plain text.
    package var keys: RingKeys?
    /// Bytes of numbers in a frame; 0 leaves that to the workers, which are alike.
    package var chunkBytes: Int
    /// By rank, if all members share a host and sums are made of their gradients in place; else empty.
    package var boards: [MemoryPlace]

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
    /// Public halves of the keys that they named in their hellos.
    package var predecessor: [UInt8]
    package var successor: [UInt8]
    /// Links within a host are encrypted, too: nothing goes through shared memory or ipc.
    package var encryptsAll: Bool

    package init(predecessor: [UInt8], successor: [UInt8], encryptsAll: Bool) {
        self.predecessor = predecessor
        self.successor = successor
        self.encryptsAll = encryptsAll
    }
}

/// Compute and fold one step.
package struct StepOrder: Hashable, Sendable {
    package var generation: Generation
    package var step: Int
    package var learningRate: Float
    /// Labels of the whole batch: the loss is a mean over them.
    package var labels: Int
    package var shards: [ShardWords]
    /// Whether every layer's gradient and output are to be measured.
    package var measuresLayers: Bool

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
    package var line: CommittedLine
    /// The last step whose line is known to be on the coordinator's disk.
    package var durable: Int

    package init(_ line: CommittedLine, durable: Int) {
        self.line = line
        self.durable = durable
    }

    package var step: Int { line.step }
}

/// Compute the losses of some shards of a held-out batch, with the state after `step`.
package struct EvaluationOrder: Hashable, Sendable {
    package var step: Int
    package var batch: Int
    package var shards: [ShardWords]

    package init(step: Int, batch: Int, shards: [ShardWords]) {
        self.step = step
        self.batch = batch
        self.shards = shards
    }
}
