import Checkpoint

/// What is wrong with a run's settings. `setting` says which flag or key to look at.
package enum ConfigurationError: Error, Equatable, Sendable {
    case notAWholeNumber(Setting, text: String)
    case notANumber(Setting, text: String)
    case notADuration(Setting, text: String)
    case notOneOf(Setting, text: String, choices: [String])
    case empty(Setting)
    case outOfRange(Setting, value: String, allowed: Interval)
    case spanOutOfRange(Setting, value: TimeSpan, from: TimeSpan, to: TimeSpan)
    case odd(Setting, value: Int)
    case headsDoNotDivide(heads: Int, dModel: Int)
    case moreWorkersThanShards(workers: Int, shards: Int)
    case incompatible(Setting, with: Setting)
    case senseless(Setting, Senseless)
    case missing(Setting, neededBy: Setting)
    case malformedAddress(Setting, text: String)
    case unknownKey(String, path: String, line: Int, nearest: Setting?)
    case repeatedKey(String, path: String, line: Int)
    case notAScalar(Setting, path: String, line: Int)
    case malformedFile(path: String, line: Int?, problem: String)
    case unreadableFile(CheckpointError)
    case differsFromRun(Setting, given: String?, run: String?)

    /// The numbers that are allowed; `between` includes both ends, `below` its `from`.
    package enum Interval: Equatable, Sendable {
        case atLeast(Double)
        case above(Double)
        case between(Double, Double)
        case below(Double, from: Double)
    }

    /// Why a setting makes no sense beside the others.
    package enum Senseless: Equatable, Sendable {
        /// A language model learns from a text and translates nothing.
        case needsPairs
        /// An encoder-decoder learns from pairs.
        case needsLanguageModel
        case noEncoder
        case noNorm
        /// Rotary positions turn pairs of columns.
        case oddHeadWidth(Int)
        /// Xavier's bounds follow from the sizes.
        case needsNormal
        /// Nothing is encrypted in shared memory or over ipc.
        case needsTCP
    }

    /// The setting at fault, if one alone is.
    package var setting: Setting? {
        switch self {
        case .notAWholeNumber(let setting, _), .notANumber(let setting, _),
            .notADuration(let setting, _), .notOneOf(let setting, _, _), .empty(let setting),
            .outOfRange(let setting, _, _), .spanOutOfRange(let setting, _, _, _),
            .odd(let setting, _),
            .incompatible(let setting, _), .senseless(let setting, _), .missing(let setting, _),
            .malformedAddress(let setting, _), .notAScalar(let setting, _, _),
            .differsFromRun(let setting, _, _):
            setting
        case .headsDoNotDivide: .heads
        case .moreWorkersThanShards: .workers
        case .unknownKey, .repeatedKey, .malformedFile, .unreadableFile: nil
        }
    }
}
