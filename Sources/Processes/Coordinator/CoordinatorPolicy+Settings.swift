import Coordination
import Kernels
import Links
import Settings

extension CoordinatorPolicy {
    /// The policy that a run's configuration asks for; `job` is what workers are told of it.
    package init(
        _ configuration: RunConfiguration, run: UInt64, epoch: UInt32, software: String,
        job: [UInt8], steps: Int, validationBatches: Int
    ) {
        let (cluster, reporting) = (configuration.cluster, configuration.reporting)
        self.init(
            run: Run(
                number: run, epoch: epoch, software: software,
                arithmetic: UInt32(ArithmeticVersion.current), configuration: job),
            gathering: Gathering(workers: cluster.workers, waitForAll: cluster.waitForAll),
            shards: configuration.batches.shards, steps: steps,
            deadlines: Deadlines(
                peerTimeout: Milliseconds(Int64(cluster.peerTimeout.milliseconds))),
            onNonFinite: configuration.optimizer.onNaN)
        checkpoints.every = reporting.checkpointEvery
        validation = Validation(every: reporting.validateEvery, batches: validationBatches)
        ring.balance = cluster.balance
        ring.encryptsAll = cluster.secure
        ring.sumsInPlace = configuration.sumsInPlace
    }
}

extension RunConfiguration {
    /// Whether workers of one host sum each other's gradients where they lie.
    var sumsInPlace: Bool {
        cluster.collective == .fold && !cluster.secure && batches.shards <= VectorBoard.places
            && (cluster.transport == .auto || cluster.transport == .shared)
    }
}
