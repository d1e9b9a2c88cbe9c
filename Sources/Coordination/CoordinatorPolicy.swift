import Wire

/// The part of a run's configuration that decides what the coordinator does when.
package struct CoordinatorPolicy: Hashable, Sendable {
    /// The answer to a NaN or an infinity in a step: end the run, or leave the step out.
    package enum NonFinite: String, CaseIterable, Sendable { case stop, skip }

    /// The run as workers know it. Who does not compute the same is refused.
    package struct Run: Hashable, Sendable {
        /// The run's number, drawn at its beginning, by which workers know it again.
        package var number: UInt64
        /// The incarnation: how often a coordinator has opened the run folder.
        package var epoch: UInt32
        /// Name and version of this program; workers of another are refused.
        package var software: String
        /// The version of the program's arithmetic.
        package var arithmetic: UInt32
        /// The run's configuration as JSON, sent to every worker.
        package var configuration: [UInt8]

        /// Makes the facts of a run.
        package init(
            number: UInt64, epoch: UInt32, software: String, arithmetic: UInt32 = 1,
            configuration: [UInt8]
        ) {
            self.number = number
            self.epoch = epoch
            self.software = software
            self.arithmetic = arithmetic
            self.configuration = configuration
        }
    }

    /// The workers to begin with.
    package struct Gathering: Hashable, Sendable {
        /// Workers to start with.
        package var workers: Int
        /// Whether to wait for all `workers`; if not, fewer begin once `grace` has passed.
        package var waitForAll: Bool
        /// Time after the first prepared worker for which the others are waited for.
        package var grace = Milliseconds(10_000)

        /// Waits for so many workers, for ten seconds unless for all.
        package init(workers: Int, waitForAll: Bool = false) {
            self.workers = workers
            self.waitForAll = waitForAll
        }
    }

    /// The steps at which a checkpoint is written.
    package struct Checkpoints: Hashable, Sendable {
        /// Steps between two checkpoints; 0 is off, but for the last checkpoint.
        package var every: Int
        /// Write a checkpoint when the run ends or is stopped.
        package var atEnd = true

        /// Writes a checkpoint every so many steps and at the end.
        package init(every: Int = 0) { self.every = every }

        func isDue(at step: Int) -> Bool { every > 0 && step > 0 && step % every == 0 }
    }

    /// The steps at which the held-out part is tried.
    package struct Validation: Hashable, Sendable {
        /// Steps between two trials; 0 is off.
        package var every: Int
        /// Number of held-out batches in a trial; 0 is off.
        package var batches: Int

        /// Tries so many batches every so many steps.
        package init(every: Int = 0, batches: Int = 0) {
            self.every = every
            self.batches = batches
        }

        func isDue(at step: Int) -> Bool { every > 0 && step > 0 && step % every == 0 }
    }

    /// The choices that concern the ring.
    package struct Ring: Hashable, Sendable {
        /// Cut the shards by measured speed.
        package var balance = false
        /// Links within a host are encrypted like those between hosts.
        package var encryptsAll = false
        /// Workers of one host may sum each other's gradients where they lie.
        package var sumsInPlace = false
    }

    /// The run as workers know it.
    package var run: Run
    /// The workers to begin with.
    package var gathering: Gathering
    /// Number of shards of a batch; no ring has more members.
    package var shards: Int
    /// The step at which the run is finished, earlier incarnations included.
    package var steps: Int
    /// The waits, all made of the peer timeout.
    package var deadlines: Deadlines
    /// The answer to a step whose numbers are not finite.
    package var onNonFinite: NonFinite
    /// When a checkpoint is written.
    package var checkpoints = Checkpoints()
    /// When the held-out part is tried.
    package var validation = Validation()
    /// The choices that concern the ring.
    package var ring = Ring()
    /// Elements of θ in a piece of the state for those who come later.
    package var pieceElements = WireLimit.pieceElements

    /// Makes a policy of its parts; the properties with a default value are set afterwards.
    package init(
        run: Run, gathering: Gathering, shards: Int, steps: Int, deadlines: Deadlines,
        onNonFinite: NonFinite = .stop
    ) {
        self.run = run
        self.gathering = gathering
        self.shards = shards
        self.steps = steps
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
