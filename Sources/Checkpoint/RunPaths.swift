/// The names in a run's folder.
package struct RunPaths: Equatable, Sendable {
    /// The run's folder, without a slash at the end.
    package let folder: String

    /// Makes the names in `folder`, whether or not it exists.
    package init(_ folder: String) {
        var folder = folder
        while folder.count > 1 && folder.hasSuffix("/") { folder.removeLast() }
        self.folder = folder
    }

    /// The folder of checkpoints: see `CheckpointShelf`.
    package var checkpoints: String { folder + "/checkpoints" }
    /// The record of committed steps: see `Ledger`.
    package var ledger: String { folder + "/ledger.jsonl" }
    /// The file of measurements: see `MetricsFile`.
    package var metrics: String { folder + "/metrics.jsonl" }
    /// What has happened lately: see `EventsFile`.
    package var events: String { folder + "/events.jsonl" }
    /// The figures of `metrics` in a form that is quick to read: whoever shows them makes it.
    package var series: String { folder + "/series" }
    /// The address of the run's page while there is one.
    package var pageAddress: String { folder + "/page" }
    /// What lets readers of the page in, and nobody else: mode 0600.
    package var pageToken: String { folder + "/page-token" }
    /// The fingerprint by which the run knows its text again.
    package var fingerprint: String { folder + "/text.json" }
    /// The resolved settings: see `SettingsFile`.
    package var configuration: String { folder + "/configuration.yaml" }
    /// The address of the coordinator while it lives.
    package var address: String { folder + "/address" }
    /// The folder in which local workers write their logs.
    package var logs: String { folder + "/logs" }
    /// The file that the run's coordinator locks, with its process id.
    package var lock: String { folder + "/lock" }
    /// The counter of incarnations.
    package var incarnation: String { folder + "/incarnation" }
    /// The run's number, by which workers know it again.
    package var identity: String { folder + "/identity" }

    /// The coordinator's secret key: mode 0600.
    package var coordinatorKey: String { folder + "/coordinator.key" }
    /// The run's token, which lets workers in: mode 0600.
    package var token: String { folder + "/token" }

    /// Returns the text of a small file of the run. Throws: `io`.
    package func text(_ path: String) throws(CheckpointError) -> String {
        let file = try ReadableFile(path)
        return String(decoding: try file.bytes(0..<file.size), as: UTF8.self)
    }
}
