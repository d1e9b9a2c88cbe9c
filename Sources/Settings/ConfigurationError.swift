import Checkpoint

/// An error in a run's settings. The settings it names say which flags or keys to look at.
package enum ConfigurationError: Error, Equatable, Sendable {
    case unfit(Setting, text: String, ValueFault)
    case odd(Setting, value: Int)
    case headsDoNotDivide(heads: Int, dModel: Int)
    case moreWorkersThanShards(workers: Int, shards: Int)
    case incompatible(Setting, with: Setting)
    /// The setting says something only beside certain values of another.
    case onlyWith(Setting, SettingRow.Condition)
    case senseless(Setting, Senseless)
    case missing(Setting, neededBy: Setting)
    case differs(Setting, given: String?, run: String?, Origin)
    case unknownKey(String, path: String, line: Int, nearest: Setting?)
    case repeatedKey(String, path: String, line: Int)
    case notAScalar(Setting, path: String, line: Int)
    case malformedFile(path: String, line: Int?, problem: String)
    case emptyFile(path: String)
    case unreadableFile(CheckpointError)

    /// The reason why values of several settings make no sense beside each other.
    package enum Senseless: Equatable, Sendable {
        /// A language model has no source embedding that could be apart.
        case noEncoder
        case noNorm
        /// A choice that the format of `--compatible-with` cannot express.
        case inexpressible(Setting, value: String)
        /// Rotary positions turn pairs of columns.
        case oddHeadWidth(Int)
    }

    /// The run from which a setting must not differ.
    package enum Origin: Equatable, Sendable {
        /// `--resume` continues it.
        case resumed(folder: String)
        /// `--from` takes its parameters.
        case started(folder: String)
    }
}
