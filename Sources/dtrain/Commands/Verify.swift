import ArgumentParser
import Foundation
import Preparation
import Resources
import Settings
import Words

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Recomputes a stretch of a run on this host and compares every bit.",
        discussion: """
            From a checkpoint (or the seed), the run's text and its configuration every step is \
            computed again by one process and held against the ledger: samples, the state before \
            the step, loss, total gradient, verdict; and against every checkpoint on the way. It \
            only reads; a run that is under way may be verified too. Ends with 0 if all agree, \
            with 65 if something differs, naming the first step that does.

            EXAMPLES
              dtrain verify
              dtrain verify runs/experiment --steps 1..200 --json
            """)

    @Argument(help: "The run's folder.")
    var folder = RunLocation.latest

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "First and last step to verify. (default: from the oldest checkpoint kept, or the "
                + "seed, to the ledger's last line)", valueName: "a..b"))
    var steps: String?

    @OptionGroup(title: "Where the run's text lies now, if not where it was")
    var text: SettingOptions<PlaceList>

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Threads that compute. (default: all cores)", valueName: "n"))
    var threads: String?

    @OptionGroup var kernels: KernelOptions

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        let steps = try steps.map { try stretch("--steps", $0, startingAt: 1) }
        let threads = try threads.map { try whole("--threads", $0, 1...1024) }
        try Entry.verify(
            VerifyRequest(
                run: Failure.path("the folder", folder), steps: steps, text: text.given,
                threads: threads ?? Processors.usable.count, json: json))
    }
}

/// The settings that say where a text lies.
enum PlaceList: SettingList {
    static var settings: [Setting] { Setting.allCases.filter { $0.row.effect == .place } }
}
