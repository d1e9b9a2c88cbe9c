import ArgumentParser
import Coordination
import Foundation
import Preparation
import Processes
import Settings

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how a run that is under way stands: who does what, who waits for whom.",
        discussion: """
            EXAMPLES
              dtrain status
              dtrain status --connect \(Address.standard) --json
            """)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Address of the coordinator.", valueName: "tcp://host:port"))
    var connect: String?

    @Option(
        name: .customLong("run"), parsing: .unconditional,
        help: ArgumentHelp("Run folder, in which the address is read.", valueName: "dir"))
    var folder = RunLocation.latest

    @OptionGroup var access: AccessOptions

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        let status = try Entry.status(
            of: connect, run: Failure.path("--run", folder), access)
        if json { return try StandardOutput.write(json: status) }
        try StandardOutput.write(statusTable(status).map { $0 + "\n" }.joined())
    }
}

extension Entry {
    /// Asks the coordinator at `address`, or the one whose address stands in the run's folder.
    static func status(
        of address: String?, run: String, _ access: AccessOptions
    ) throws -> RunStatus {
        guard let text = try address ?? RunLocation.address(of: run) else {
            throw Failure(
                .unavailable,
                "no coordinator has \(shown(run)) open"
                    + "\(missing(run).map { " (\($0))" } ?? ""): nothing is under way there, give another "
                    + "run with --run or an address with --connect"
            )
        }
        let coordinator = try access.coordinator(text)
        do {
            return try CoordinatorCall(coordinator, try access.access(run: run)).status()
        } catch CoordinatorCall.Failure.noAnswer where address == nil {
            throw Failure(
                .unavailable,
                "no coordinator answers at \(coordinator), which \(shown(run))/address names: its run "
                    + "is over, or its host out of reach")
        }
    }
}

/// A line for the run and one for each worker.
func statusTable(_ status: RunStatus) -> [String] {
    let rows =
        [
            [
                "WORKER", "HOST", "PID", "PLACE", "SHARDS", "PHASE", "WAITS FOR", "HEARD", "STEP",
                "LATE",
            ]
        ]
        + status.workers.map(row)
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
        zip(row, widths).map { padded($0, $1) }.joined(separator: "  ")
    }
    let pause = status.paused ? ", paused until the ledger can be written" : ""
    let head =
        "\(status.state.rawValue), step \(status.step) of \(status.steps), "
        + "ring \(status.incarnation).\(status.generation)\(pause)"
    return [head] + (status.workers.isEmpty ? ["no workers"] : lines)
}

private func row(_ worker: RunStatus.Worker) -> [String] {
    let isFolding = worker.phase == "folding" && worker.slices > 0
    let late = worker.lateSteps > 0 ? "\(worker.lateMilliseconds) ms × \(worker.lateSteps)" : "-"
    return [
        worker.id, worker.host, "\(worker.pid)", worker.rank.map { "\($0 + 1)" } ?? "-",
        "\(worker.shards)",
        worker.phase + (worker.relayed ? " by relay" : "")
            + (isFolding ? " \(worker.slice)/\(worker.slices)" : ""),
        worker.waitingFor.isEmpty ? "-" : worker.waitingFor,
        "\(worker.heardMilliseconds) ms ago", "\(worker.stepMilliseconds) ms", late,
    ]
}
