import TestKit
import Testing

/// Real processes; one test at a time, because the machine may have no more than two cores.
@Suite("Real processes", .serialized)
enum ClusterTests {}

/// Exit codes of `dtrain`.
enum ExitCode {
    static let usage: Int32 = 64
    static let data: Int32 = 65
    static let io: Int32 = 74
    static let interruptedTwice: Int32 = 130
}
