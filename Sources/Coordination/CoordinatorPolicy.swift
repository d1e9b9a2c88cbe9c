import Wire

/// The part of a run's configuration that decides what the coordinator does when.
package struct CoordinatorPolicy: Hashable, Sendable {
    /// The answer to a NaN or an infinity in a step: end the run, or leave the step out.
    package enum NonFinite: String, CaseIterable, Sendable { case stop, skip }

    /// The run's number, drawn at its beginning, by which workers know it again.
    package var run: UInt64
    /// The incarnation: how often a coordinator has opened the run folder.
    package var epoch: UInt32
    /// Name and version of this program; workers of another are refused.
    package var software: String
    /// The version of the program's arithmetic.
    package var arithmetic: UInt32 = 1
    /// The run's configuration as JSON, sent to every worker.
    package var configuration: [UInt8]
    /// Workers to start with.
    package var workers: Int
    /// Whether to wait for all `workers`; if not, fewer begin once `startGrace` has passed.
    package var waitForAll: Bool
    /// Time after the first prepared worker for which the others are waited for.
    package var startGrace = Milliseconds(10_000)
    /// Number of shards of a batch; no ring has more members.
    package var shards: Int
    /// The step at which the run is finished, earlier incarnations included.
    package var steps: Int
    /// Steps between two checkpoints; 0 is off, but for the last checkpoint.
    package var checkpointEvery: Int
    /// Write a checkpoint when the run ends or is stopped.
    package var savesAtEnd: Bool
    /// Steps between two trials of the held-out part; 0 is off.
    package var validateEvery: Int
    /// Number of held-out batches in a trial; 0 is off.
    package var validationBatches: Int
    /// The waits, all made of the peer timeout.
    package var deadlines: Deadlines
    /// The answer to a step whose numbers are not finite.
    package var onNonFinite: NonFinite
    /// Cut the shards by measured speed.
    package var balance = false
    /// Links within a host are encrypted like those between hosts.
    package var encryptsAll = false
    /// Workers of one host may sum each other's gradients where they lie.
    package var sumsInPlace = false
    /// Elements of θ in a piece of the state for those who come later.
    package var pieceElements = WireLimit.pieceElements

    /// Makes a policy of its parts; the properties with a default value are set afterwards.
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
    /// The number itself; it says nothing about the order in which workers came.
    package var value: UInt64

    /// Takes a number for an identity.
    package init(_ value: UInt64) { self.value = value }

    /// Orders identities by number, so that no hash table's order reaches an action.
    package static func < (left: PeerID, right: PeerID) -> Bool { left.value < right.value }
}
