import Foundation
import Ring

/// What `doctor` needs to know of a run.
package struct RunFacts: Codable, Sendable {
    package struct Worker: Codable, Sendable {
        package var name: String
        package var host: String
        /// Workers with equal keys share a host.
        package var hostKey: String
        /// Where its ring listens; the host `*` is the coordinator's.
        package var ring: String
        package var kernel: String
        package var arithmetic: String
    }

    package var software: String
    package var parameters: Int
    package var shards: Int
    package var workers: [Worker]
    /// How sums are made, and what they are rounded to on their way; nil from a coordinator of a build
    /// that does not say, which must still be told from this one.
    var collective: Collective?
    var wire: WireFormat?
}

extension RunFacts {
    /// Bytes of numbers that the busiest link between hosts carries in a step; nil if that is not
    /// known.
    ///
    /// - Parameter more: workers beyond those that are there. Who is beyond the number of shards is
    ///   spare.
    package func linkBytes(more: Int) -> Int? {
        guard let collective, let wire else { return nil }
        return collective.linkBytes(
            elements: parameters, workers: min(workers.count + more, shards), wire: wire)
    }
}

extension RunFacts {
    package init?(json: [UInt8]) {
        guard let facts = try? JSONDecoder().decode(RunFacts.self, from: Data(json)) else {
            return nil
        }
        self = facts
    }
}
