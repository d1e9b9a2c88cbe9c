import ArgumentParser
import Coordination
import Foundation
import Preparation
import Processes
import Settings
import Words

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
