import Coordination
import Parameters
import Settings
import Wire

/// What a coordinator process is given; everything else it makes itself.
package struct CoordinatorSetup {
    var policy: CoordinatorPolicy
    var configuration: RunConfiguration
    var batches: any BatchSource
    /// Elements of θ.
    var parameterCount: Int
    /// Names of the model's layers.
    var layers: [String] = []
    var store: RunStore?
    /// The state that `deliverCheckpoint` streams: that of the newest checkpoint, or a warm start.
    var loadState: (_ step: Int) throws -> LoadedState
    /// The step and the state to go on from.
    var resumedFrom: Int?
    /// The ledger's last line.
    var recorded: CommittedLine? = nil
    /// Of the steps in the ledger.
    var skips = SkippedSteps()
}

extension CoordinatorSetup {
    /// A run that begins with initial values and keeps nothing.
    ///
    /// - Parameter lost: what the run ends with where no worker has the state any more.
    package init(
        policy: CoordinatorPolicy, configuration: RunConfiguration, batches: any BatchSource,
        parameterCount: Int, lost: @escaping (_ step: Int) -> any Error
    ) {
        self.init(
            policy: policy, configuration: configuration, batches: batches,
            parameterCount: parameterCount, store: nil, loadState: { throw lost($0) },
            resumedFrom: nil)
    }
}

/// θ, m and v as they are on disk.
struct LoadedState {
    var step: Int
    var adamCount: Int
    var sections: [ParameterVector]
}
