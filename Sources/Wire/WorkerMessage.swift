/// What a worker says to its coordinator.
package enum WorkerMessage: Hashable, Sendable {
    case hello(Hello)
    /// The model is built, and this is in memory. Also the answer to an order that does not fit
    /// what is there.
    case prepared(Holdings)
    /// θ, m and v that were sent, or drawn, since the `newState` of this number are whole in memory.
    case stateReady(HeldState, number: UInt32)
    /// The commit has been followed: θ, m and v as they were written.
    case updated(HeldState)
    /// Both neighbours of the ring of `generation` have answered.
    case formed(Generation)
    case voted(Vote)
    case evaluated(Evaluation)
    case heartbeat(Heartbeat)
    /// The copy of which slices follow: its digest, taken anew from memory.
    case captured(HeldState)
    /// A piece of a snapshot that the coordinator asked for.
    case slice(StateSlice)
    /// The slice that ended at `position` of all of θ, m, v has been stored.
    case sliceTaken(step: Int, position: Int)
    /// What a `givePiece` asked for.
    case piece(StatePiece)
    /// The piece at `offset` has been taken; another may be sent.
    case pieceTaken(offset: Int)
    case ringBroken(Generation, RingFault)
    /// The new token is kept; who says hello the next time may need it.
    case tokenTaken
    case leaving(reason: String)
}

/// Who a worker is and what it computes with.
package struct Hello: Hashable, Sendable {
    package var software: String
    package var address: PeerAddress
    /// Public half of the key that this process drew when it started, and speaks under on the
    /// control connection and in the ring; empty where all is plain text.
    package var key: [UInt8]
    package var processID: Int
    /// Drawn when the process started: who says hello again under another identity is known by it.
    package var instance: UInt64
    package var threads: Int
    /// Name of the product kernel and a digest of a fixed piece of arithmetic.
    package var kernel: String
    package var probe: WireDigest
    /// The run and the highest epoch that it has already obeyed.
    package var run: UInt64?
    package var epoch: UInt32

    package init(
        software: String, address: PeerAddress, key: [UInt8] = [], processID: Int,
        instance: UInt64, threads: Int, kernel: String, probe: WireDigest, run: UInt64? = nil,
        epoch: UInt32 = 0
    ) {
        self.software = software
        self.address = address
        self.key = key
        self.processID = processID
        self.instance = instance
        self.threads = threads
        self.kernel = kernel
        self.probe = probe
        self.run = run
        self.epoch = epoch
    }
}

/// A step whose gradient is folded, and the state that it was computed from.
package struct FoldedStep: Hashable, Sendable {
    package var step: Int
    package var total: WireDigest
    package var state: WireDigest

    package init(step: Int, total: WireDigest, state: WireDigest) {
        self.step = step
        self.total = total
        self.state = state
    }
}

/// What a member found when it had folded a step.
package struct Vote: Hashable, Sendable {
    package var generation: Generation
    package var step: Int
    /// Digest of the folded gradient.
    package var total: WireDigest
    /// Digest of θ, m and v as they lie in memory before the update.
    package var state: WireDigest
    /// Squared L2 norm of the folded gradient.
    package var squaredNorm: Double
    /// Own shards whose gradient holds a NaN or an infinity.
    package var nonFiniteShards: [UInt32]
    package var reports: [ShardReport]
    /// Seconds from the order to the end of the own gradients, from there to the whole total.
    package var computeSeconds: Double
    package var waitSeconds: Double
    /// Seconds in which chunks were being added or moved.
    package var foldSeconds: Double
    /// Bytes a second that the link to the successor has carried while it was busy, and its shortest
    /// time there and back in seconds; 0 if that is not known anew.
    package var linkRate: Double
    package var linkDelay: Double
    /// Squared norm of each layer's part of the folded gradient; empty unless asked for.
    package var layerNorms: [Double]

    package init(
        generation: Generation, step: Int, total: WireDigest, state: WireDigest,
        squaredNorm: Double, nonFiniteShards: [UInt32], reports: [ShardReport],
        computeSeconds: Double, waitSeconds: Double, foldSeconds: Double,
        linkRate: Double = 0, linkDelay: Double = 0, layerNorms: [Double] = []
    ) {
        self.generation = generation
        self.step = step
        self.total = total
        self.state = state
        self.squaredNorm = squaredNorm
        self.nonFiniteShards = nonFiniteShards
        self.reports = reports
        self.computeSeconds = computeSeconds
        self.waitSeconds = waitSeconds
        self.foldSeconds = foldSeconds
        self.linkRate = linkRate
        self.linkDelay = linkDelay
        self.layerNorms = layerNorms
    }
}

/// Losses of some shards of a held-out batch.
package struct Evaluation: Hashable, Sendable {
    package var step: Int
    package var batch: Int
    package var reports: [ShardReport]

    package init(step: Int, batch: Int, reports: [ShardReport]) {
        self.step = step
        self.batch = batch
        self.reports = reports
    }
}

/// A sign of life: what a worker is doing, and a counter that grows while it gets on with it.
package struct Heartbeat: Hashable, Sendable {
    package var phase: WorkerPhase
    package var step: Int
    package var progress: UInt64
    /// Slices of the gradient whose total is known, of how many.
    package var slice: Int
    package var slices: Int
    package var waitingFor: String

    package init(
        phase: WorkerPhase, step: Int, progress: UInt64, slice: Int = 0, slices: Int = 0,
        waitingFor: String
    ) {
        self.phase = phase
        self.step = step
        self.progress = progress
        self.slice = slice
        self.slices = slices
        self.waitingFor = waitingFor
    }
}

/// Consecutive elements of θ, m or v as they were after `step`.
package struct StateSlice: Hashable, Sendable {
    package var step: Int
    /// Updates that Adam has counted; skipped steps are not among them.
    package var adamCount: Int
    package var section: StateSection
    /// First element, counted within the section.
    package var offset: Int
    /// Little-endian float32.
    package var bytes: [UInt8]

    package init(step: Int, adamCount: Int, section: StateSection, offset: Int, bytes: [UInt8]) {
        self.step = step
        self.adamCount = adamCount
        self.section = section
        self.offset = offset
        self.bytes = bytes
    }
}
