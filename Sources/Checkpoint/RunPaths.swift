/// The names in a run's folder.
package struct RunPaths: Equatable, Sendable {
    package let folder: String

    package init(_ folder: String) {
        var folder = folder
        while folder.count > 1 && folder.hasSuffix("/") { folder.removeLast() }
        self.folder = folder
    }

    package var checkpoints: String { folder + "/checkpoints" }
    package var ledger: String { folder + "/ledger.jsonl" }
    package var metrics: String { folder + "/metrics.jsonl" }
    /// By what the run knows its text again.
    package var fingerprint: String { folder + "/text.json" }
    package var configuration: String { folder + "/configuration.yaml" }
    /// Where the coordinator can be reached while it lives.
    package var address: String { folder + "/address" }
    package var logs: String { folder + "/logs" }
    package var lock: String { folder + "/lock" }
    package var incarnation: String { folder + "/incarnation" }
    /// The run's number, by which workers know it again.
    package var identity: String { folder + "/identity" }

    /// The coordinator's secret key, and what workers need in order to be let in: mode 0600.
    package var coordinatorKey: String { folder + "/coordinator.key" }
    package var token: String { folder + "/token" }

    /// The text of a small file of the run. Throws: `io`.
    package func text(_ path: String) throws(CheckpointError) -> String {
        let file = try ReadableFile(path)
        return String(decoding: try file.bytes(0..<file.size), as: UTF8.self)
    }
}
