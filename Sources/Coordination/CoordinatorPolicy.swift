import Wire

/// The part of a run's configuration that decides what the coordinator does when.
package struct CoordinatorPolicy: Hashable, Sendable {
    /// What a NaN or an infinity in a step leads to.
    package enum NonFinite: String, CaseIterable, Sendable { case stop, skip }

    package var run: UInt64
    package var epoch: UInt32
    package var software: String
    /// The version of the program's arithmetic.
    package var arithmetic: UInt32 = 1
    /// The run's configuration as JSON, sent to every worker.
    package var configuration: [UInt8]
    /// Workers to start with.
    package var workers: Int
    /// Start with fewer than `workers` once `startGrace` has passed since the first.
    package var waitForAll: Bool
    package var startGrace = Milliseconds(10_000)
    package var shards: Int
    package var steps: Int
    /// In steps; 0 is off, but for the last checkpoint.
    package var checkpointEvery: Int
    /// Write a checkpoint when the run ends or is stopped.
    package var savesAtEnd: Bool
    package var validateEvery: Int
    package var validationBatches: Int
    package var deadlines: Deadlines
    package var onNonFinite: NonFinite
    /// Cut the shards by measured speed.
    package var balance = false
    /// Links within a host are encrypted like those between hosts.
    package var encryptsAll = false
    /// Workers of one host may sum each other's gradients where they lie.
    package var sumsInPlace = false
    /// Elements of θ in a piece of the state for those who come later.
    package var pieceElements = WireLimit.pieceElements

    package init(
        run: UInt64, epoch: UInt32, software: String, configuration: [UInt8], workers: Int,
        waitForAll: Bool, shards: Int, steps: Int, checkpointEvery: Int, savesAtEnd: Bool = true,
        validateEvery: Int,
        validationBatches: Int, deadlines: Deadlines, onNonFinite: NonFinite
    ) {
        self.run = run
        self.epoch = epoch
        self.software = software
        self.configuration = configuration
        self.workers = workers
        self.waitForAll = waitForAll
        self.shards = shards
        self.steps = steps
        self.checkpointEvery = checkpointEvery
        self.savesAtEnd = savesAtEnd
        self.validateEvery = validateEvery
        self.validationBatches = validationBatches
        self.deadlines = deadlines
        self.onNonFinite = onNonFinite
    }
}

/// Routing identity of a worker's control connection, drawn by the worker at random.
package struct PeerID: Hashable, Comparable, Sendable {
    package var value: UInt64

    package init(_ value: UInt64) { self.value = value }

    package static func < (left: PeerID, right: PeerID) -> Bool { left.value < right.value }
}
