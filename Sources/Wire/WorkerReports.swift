import Parameters

/// Who a worker is and what it computes with.
package struct Hello: Hashable, Sendable {
    /// Name and version of the program: the coordinator's must be the same.
    package var software = ""
    /// The version of its arithmetic: likewise.
    package var arithmetic: UInt32 = 1
    /// Where the ring's predecessor finds this worker.
    package var address = PeerAddress()
    /// Public half of the key that this process drew when it started, and speaks under on the
    /// control connection and in the ring; empty where all is plain text.
    package var key: [UInt8] = []
    /// The process id on its host.
    package var processID = 0
    /// Drawn when the process started: who says hello again under another identity is known by it.
    package var instance: UInt64 = 0
    /// Number of threads that compute.
    package var threads = 0
    /// Name of the product kernel.
    package var kernel = ""
    /// Digest of a fixed piece of arithmetic.
    package var probe = FastDigest()
    /// The run that it has already obeyed; nil for a process that is new.
    package var run: UInt64?
    /// The highest epoch that it has already obeyed.
    package var epoch: UInt32 = 0

    /// Makes a hello, by default that of a process without a key that has obeyed nobody yet; texts
    /// are of at most `WireLimit.text` bytes.
    package init(
        software: String, arithmetic: UInt32 = 1, address: PeerAddress, key: [UInt8] = [],
        processID: Int,
        instance: UInt64, threads: Int, kernel: String, probe: FastDigest, run: UInt64? = nil,
        epoch: UInt32 = 0
    ) {
        self.software = software
        self.arithmetic = arithmetic
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

/// What a member found when it had folded a step.
package struct Vote: Hashable, Sendable {
    /// The ring that folded it.
    package var generation = Generation()
    /// The step, counted from 1.
    package var step = 0
    /// Digest of the folded gradient.
    package var total = FastDigest()
    /// Digest of θ, m and v as they lie in memory before the update.
    package var state = FastDigest()
    /// Squared L2 norm of the folded gradient.
    package var squaredNorm = 0.0
    /// Own shards whose gradient holds a NaN or an infinity.
    package var nonFiniteShards: [UInt32] = []
    /// What its own shards contributed to the loss, in shard order.
    package var reports: [ShardReport] = []
    /// When the order of the step came, and when this was sent.
    package var times = OrderTimes()
    /// From the order to the end of the own gradients.
    package var compute = WorkerSpan()
    /// From the first chunk that was added or moved to the whole total.
    package var fold = WorkerSpan()
    /// Bytes a second that the link to the successor has carried while it was busy; 0 if that is not
    /// known anew.
    package var linkRate = 0.0
    /// Shortest time to the successor and back, in seconds; 0 if that is not known anew.
    package var linkDelay = 0.0
    /// Squared norm of each layer's part of the folded gradient; empty unless asked for.
    package var layerNorms: [Double] = []

    /// Makes a vote, by default without measurements of link and layers; the session fills in the
    /// times.
    package init(
        generation: Generation, step: Int, total: FastDigest, state: FastDigest,
        squaredNorm: Double, nonFiniteShards: [UInt32], reports: [ShardReport],
        times: OrderTimes = OrderTimes(), compute: WorkerSpan, fold: WorkerSpan,
        linkRate: Double = 0, linkDelay: Double = 0, layerNorms: [Double] = []
    ) {
        self.generation = generation
        self.step = step
        self.total = total
        self.state = state
        self.squaredNorm = squaredNorm
        self.nonFiniteShards = nonFiniteShards
        self.reports = reports
        self.times = times
        self.compute = compute
        self.fold = fold
        self.linkRate = linkRate
        self.linkDelay = linkDelay
        self.layerNorms = layerNorms
    }

    /// Seconds from the order to the end of the own gradients.
    package var computeSeconds: Double { compute.seconds }
    /// Seconds from the end of the own gradients to the whole total.
    package var waitSeconds: Double { wait.seconds }
    /// Seconds in which chunks were being added or moved.
    package var foldSeconds: Double { fold.seconds }
    /// From the end of the own gradients to the whole total.
    package var wait: WorkerSpan { WorkerSpan(begin: compute.end, end: fold.end) }
}

/// Losses of some shards of a held-out batch.
package struct Evaluation: Hashable, Sendable {
    /// The last step of the state that they were computed from.
    package var step = 0
    /// Index of the held-out batch.
    package var batch = 0
    /// The losses, in shard order.
    package var reports: [ShardReport] = []

    /// Makes an evaluation of all its parts.
    package init(step: Int, batch: Int, reports: [ShardReport]) {
        self.step = step
        self.batch = batch
        self.reports = reports
    }
}

/// A sign of life: what a worker is doing, and a counter that grows while it gets on with it.
package struct Heartbeat: Hashable, Sendable {
    /// What it is doing.
    package var phase = WorkerPhase.joining
    /// The step that it is at; else that of the state in memory.
    package var step = 0
    /// Grows while it gets on.
    package var progress: UInt64 = 0
    /// Slices of the gradient whose total is known.
    package var slice = 0
    /// Slices of the gradient in all; 0 where none is folded.
    package var slices = 0
    /// Whom or what its fold waits for; empty when for nothing. More than `WireLimit.text` bytes are
    /// cut on their way.
    package var waitingFor = ""

    /// Makes a heartbeat, by default that of a worker that folds nothing.
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
    /// The last step that the state holds.
    package var step = 0
    /// Updates that Adam has counted; skipped steps are not among them.
    package var adamCount = 0
    /// The vector that the elements are of.
    package var section = StateSection.parameters
    /// First element, counted within the section.
    package var offset = 0
    /// Little-endian float32: at most `WireLimit.sliceBytes` bytes.
    package var bytes: [UInt8] = []

    /// Makes a slice of whole float32.
    package init(step: Int, adamCount: Int, section: StateSection, offset: Int, bytes: [UInt8]) {
        self.step = step
        self.adamCount = adamCount
        self.section = section
        self.offset = offset
        self.bytes = bytes
    }
}

// MARK: - Coding

extension Hello: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.text(&software, "software")
        try coder.integer(&arithmetic, "arithmetic")
        try address.code(&coder)
        try coder.key(&key, "key", orNone: true)
        try coder.count(&processID, "process id", limit: Int(Int32.max))
        try coder.integer(&instance, "instance")
        try coder.integer(&threads, "threads", as: UInt32.self)
        try coder.text(&kernel, "kernel")
        try probe.code(&coder)
        // The number travels in any case.
        var (hasRun, number) = (run != nil, run ?? 0)
        try coder.bool(&hasRun, "has run")
        try coder.integer(&number, "run")
        run = hasRun ? number : nil
        try coder.integer(&epoch, "epoch")
    }
}

extension Vote: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try generation.code(&coder)
        try coder.step(&step)
        try total.code(&coder)
        try state.code(&coder)
        try coder.double(&squaredNorm, "squared norm")
        try coder.numbers(&nonFiniteShards, "shards", limit: WireLimit.shards)
        try coder.each(&reports, "reports", limit: WireLimit.shards)
        try times.code(&coder)
        try compute.code(&coder)
        try fold.code(&coder)
        try coder.rate(&linkRate, "link")
        try coder.seconds(&linkDelay)
        try coder.numbers(&layerNorms, "layers", limit: WireLimit.layers)
    }
}

extension Evaluation: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.step(&step)
        try coder.step(&batch, "batch")
        try coder.each(&reports, "reports", limit: WireLimit.shards)
    }
}

extension Heartbeat: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.rawValue(&phase, "phase")
        try coder.step(&step)
        try coder.integer(&progress, "progress")
        try coder.integer(&slice, "slice", as: UInt32.self)
        try coder.integer(&slices, "slices", as: UInt32.self)
        try coder.prose(&waitingFor, "waiting for")
    }
}

extension StateSlice: WireCodable {
    init() {}

    mutating func code<C: Coder>(_ coder: inout C) throws(C.Failure) {
        try coder.step(&step)
        try coder.step(&adamCount, "updates")
        try coder.rawValue(&section, "section")
        try coder.element(&offset, "offset")
        try coder.numbers(&bytes, "slice", limit: WireLimit.sliceBytes)
        try coder.check(
            bytes.count % 4 == 0, or: .unknownValue(field: "slice", value: bytes.count))
    }
}
