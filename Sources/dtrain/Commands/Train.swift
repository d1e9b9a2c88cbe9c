import ArgumentParser
import Settings

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains with a coordinator and local workers, all from one terminal.",
        discussion: """
            Starts --workers processes on this machine, shows progress, saves checkpoints, and at \
            the end translates sentences that were held out. The first Ctrl-C or SIGTERM \
            saves a checkpoint and ends, the second ends at once.

            EXAMPLES
              dtrain train --workers 4                          the embedded text, under five minutes
              dtrain train --workers 2 --source a.en --target a.fr --preset base --time-limit 8h
              dtrain train --config experiment.yaml --run runs/experiment
              dtrain train --resume --run runs/experiment --steps 5000 --workers 8

            A run folder holds configuration.yaml, checkpoints/, metrics.jsonl, ledger.jsonl and \
            logs/.
            """)

    @OptionGroup var options: RunOptions
    @OptionGroup(title: "Network") var network: NetworkOptions
    @OptionGroup var kernels: KernelOptions

    func run() throws {
        var request = try options.request()
        request.network = try network.choices(isOpen: false)
        try Entry.train(request)
    }
}

struct Coordinate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coordinator",
        abstract: "Coordinates workers that are started elsewhere.",
        discussion: """
            Listens on --bind (default: \(Address.standard)), starts when --workers have joined, \
            or 10 s after the first with whoever is there, and takes later ones in while it trains.

            EXAMPLES
              dtrain coordinator --workers 2 --run runs/two &
              dtrain worker --connect \(Address.standard) --token-file runs/two/token &
              dtrain worker --connect \(Address.standard) --token-file runs/two/token
            """)

    @OptionGroup var options: RunOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Name or address under which workers are told to find --bind. (default: that of --bind, or this host's)",
            valueName: "host"))
    var advertise: String?

    func run() throws {
        var request = try options.request()
        request.network.advertise = try advertise.map { try host($0) }
        if request.configuration.cluster.bind == nil {
            request.configuration.cluster.bind = .standard
        }
        try Entry.coordinate(request)
    }
}
