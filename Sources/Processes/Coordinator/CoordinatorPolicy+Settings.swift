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
            run: run, epoch: epoch, software: software, configuration: job,
            workers: cluster.workers, waitForAll: cluster.waitForAll,
            shards: configuration.batches.shards, steps: steps,
            checkpointEvery: reporting.checkpointEvery, validateEvery: reporting.validateEvery,
            validationBatches: validationBatches,
            deadlines: Deadlines(
                peerTimeout: Milliseconds(Int64(cluster.peerTimeout.milliseconds))),
            onNonFinite: configuration.optimizer.onNaN)
        arithmetic = UInt32(ArithmeticVersion.current)
        balance = cluster.balance
        encryptsAll = cluster.secure
        sumsInPlace = configuration.sumsInPlace
    }
}

extension RunConfiguration {
    /// Whether workers of one host sum each other's gradients where they lie.
    var sumsInPlace: Bool {
        cluster.collective == .fold && !cluster.secure && batches.shards <= VectorBoard.places
            && (cluster.transport == .auto || cluster.transport == .shared)
    }
}
