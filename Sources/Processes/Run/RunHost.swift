import Coordination
import Events
import Messaging
import Settings
import Threads
import Wire

/// Listens for the workers of a run, starts those of this host, and coordinates them to the end.
package final class RunHost {
    /// The workers that this host contributes by itself.
    package struct OwnWorkers {
        var count: Int
        /// Computing threads of each.
        var threads: Int
        /// What else they are told on their command line.
        var arguments: [String]
        /// The folder of their logs.
        var logs: String

        package init(count: Int, threads: Int, arguments: [String] = [], logs: String) {
            self.count = count
            self.threads = threads
            self.arguments = arguments
            self.logs = logs
        }
    }

    let endpoint: ControlEndpoint
    let mailbox: Mailbox<CoordinatorProcess.Arrival>
    private let requests: any RequestSource

    /// - Parameters:
    ///   - advertise: the host that others are told, in place of the one bound.
    ///   - keys: nil for plain text.
    ///   - layers: how many the model has; it bounds a worker's message.
    /// - Throws: `MessagingError`, `ControlEndpoint.Failure`.
    package init(
        _ bind: Address, advertise: String? = nil, keys: RunKeys?, shards: Int, layers: Int,
        requests: any RequestSource
    ) throws {
        self.requests = requests
        endpoint = try ControlEndpoint(
            bind, advertise: advertise, keys: keys,
            report: WireLimit.report(shards: shards, layers: layers))
        mailbox = try Mailbox()
    }

    /// Coordinates until the run ends; the outcome and the last committed step.
    ///
    /// - Throws: what kept a step from being recorded, `LocalWorkers.KeepsEnding`, what a worker could
    ///   not be started for.
    package func coordinate(
        _ setup: CoordinatorSetup, _ own: OwnWorkers?, report: @escaping (RunReport) -> Void
    ) throws -> (outcome: Outcome, step: Int) {
        let workers = own.map { own in
            LocalWorkers(
                count: own.count,
                arguments: [
                    "worker", "--connect", endpoint.localAddress.description, "--threads",
                    "\(own.threads)",
                ] + own.arguments,
                token: endpoint.admissions?.token.text, logs: own.logs, report: report)
        }
        let process = CoordinatorProcess(
            setup, on: endpoint, mailbox: mailbox, requests: requests, workers: workers,
            report: report)
        defer { workers?.waitForAll(seconds: 5) }
        try workers?.startAll()
        return try process.run()
    }
}
