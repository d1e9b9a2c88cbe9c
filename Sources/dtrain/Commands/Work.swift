import ArgumentParser
import Foundation
import Settings
import Words

struct Work: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Computes for a coordinator, which sends all it needs.",
        discussion: """
            Retries a coordinator that is not there yet, and may come and go while training runs.

            EXAMPLES
              dtrain worker --connect \(Address.standard) --token-file runs/latest/token
              dtrain worker --connect tcp://node0:5555 --token dtrain1-… --ring-port 5556
              srun dtrain worker --from slurm --token-file runs/latest/token
            """)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Address of the coordinator.",
            valueName: "tcp://host:port"))
    var connect: String?

    @OptionGroup var engine: EngineOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Threads that compute. (default: all cores)", valueName: "n"))
    var threads: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long to wait for the coordinator.", valueName: "time"))
    var wait = "1h"

    @OptionGroup var kernels: KernelOptions

    @Flag(help: "Say nothing but errors.")
    var quiet = false

    @OptionGroup var access: AccessOptions

    @OptionGroup(title: "Network") var network: NetworkOptions

    @Flag(
        help:
            "This host can only connect outwards (NAT, firewall): gradients go through the coordinator, which is slower. (default: false)"
    )
    var relay = false

    @Option(help: .hidden)
    var parent: Int32?

    func run() throws {
        guard connect == nil || engine.from == nil else {
            throw Failure.usage(.giveOne(["--connect", "--from"]))
        }
        let place = try engine.place(in: ProcessInfo.processInfo.environment)
        let address = try access.coordinator(address(place))
        let entrance = try access.access()
        let patience = try value("--wait", wait, .span(TimeSpan.seconds(0)...(.hours(24 * 365))))
        let threads = try threads.map { try whole("--threads", $0, 1...1024) } ?? place?.threads
        var choices = try network.choices(isOpen: !address.isLoopback || parent == nil)
        choices.relay = relay
        if relay, let flag = network.givenFlag {
            throw Failure.usage(.leaveOneOut("--relay", flag))
        }
        try Entry.work(
            WorkRequest(
                coordinator: address, access: entrance, threads: threads, wait: patience,
                quiet: quiet,
                parent: parent,
                network: choices))
    }

    private func address(_ place: EnginePlace?) throws(Failure) -> String {
        guard let text = connect ?? place?.coordinator.description else {
            throw .usage(.connectMissing)
        }
        return text
    }
}
