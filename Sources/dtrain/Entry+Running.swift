import Checkpoint
import Coordination
import Events
import Foundation
import Preparation
import Processes
import Resources
import Settings
import Words

/// The commands that run a coordinator or a worker.
extension Entry {
    static func train(_ request: RunRequest) throws {
        try run(
            request, bind: request.configuration.cluster.bind ?? Address(host: "127.0.0.1", port: 0)
        )
    }

    static func coordinate(_ request: RunRequest) throws {
        try run(
            request, bind: request.configuration.cluster.bind ?? .standard, hasLocalWorkers: false)
    }

    private static func run(
        _ request: RunRequest, bind: Address, hasLocalWorkers: Bool = true
    ) throws {
        if request.dryRun { return try describe(request) }
        Endings.beforeFirstStep(isQuiet: request.quiet)
        let terminal = Terminal(isQuiet: request.quiet)
        if request.configuration.cluster.insecure {
            terminal.warn(plainTextWarning("every worker and \(bind)"))
        }
        if hasLocalWorkers, let words = fewerThreads(for: request.configuration.cluster) {
            terminal.say(words)
        }
        let progress = RunProgress(
            terminal: terminal, logEvery: request.configuration.reporting.logEvery)
        let run = TrainingRun(
            configuration: request.configuration, location: request.location,
            hasLocalWorkers: hasLocalWorkers, bind: bind, network: request.network,
            software: Dtrain.software, mayShrink: request.mayShrink)
        defer { terminal.finish() }
        let result = try run.run(
            requests: { try Signals() },
            observers: [progress] + observers(of: request, terminal))
        terminal.finish()
        Endings.afterLastStep()
        if result.wasDone {
            let advice = Advice(request, hasLocalWorkers: hasLocalWorkers).further
            terminal.say("step \(result.step) is done already: \(advice) goes on")
        }
        try conclude(result, request, terminal, demonstrates: hasLocalWorkers)
    }

    /// Those that were asked for.
    private static func observers(
        of request: RunRequest, _ terminal: Terminal
    ) -> [any RunObserver] {
        var observers: [any RunObserver] = []
        if let page = request.page {
            let isInsecure = request.configuration.cluster.insecure
            observers.append(PageProcess(page, isInsecure: isInsecure, terminal))
        }
        if request.tensorboard { observers.append(TensorBoardObserver()) }
        if let command = request.onEvent { observers.append(EventCommand(command, terminal)) }
        return observers
    }

    /// How many threads compute, where something keeps them from being as many as the machine has
    /// processors; nil where nothing does, or where their number was given.
    private static func fewerThreads(for cluster: ClusterSettings) -> String? {
        guard cluster.threads == nil, let why = Processors.usable.fewer else { return nil }
        let threads = cluster.threads(cores: Processors.usable.count)
        let each = cluster.workers == 1 ? "" : " in each of \(cluster.workers) workers"
        return "\(threads) thread\(threads == 1 ? " computes" : "s compute")\(each): \(why)"
    }

    private static func conclude(
        _ result: TrainingRun.Result, _ request: RunRequest, _ terminal: Terminal,
        demonstrates: Bool
    ) throws {
        let folder = quoted(shown(result.folder))
        let advice = Advice(
            request, hasLocalWorkers: demonstrates, folder: result.folder)
        switch result.outcome {
        case .finished(let step):
            if demonstrates { show(result.prepared, of: result.folder, terminal) }
            announce(result.digest, of: step, terminal)
        case .stopped(_, let saved):
            let place = saved.map { "at step \($0), saved in \(folder)" } ?? "before the first step"
            terminal.say("stopped \(place): \(advice.resuming()) goes on")
            announce(result.digest, of: saved, terminal)
        case let failed:
            guard let failure = Failure(ended: failed, in: folder, advice) else { return }
            throw failure
        }
    }

    /// Shows what a finished run has learnt. It is saved: what cannot be shown is no failure.
    private static func show(_ prepared: PreparedRun, of folder: String, _ terminal: Terminal) {
        do {
            try demonstrate(folder, prepared)
        } catch {
            terminal.warn(
                "the run is finished and saved, but what it has learnt could not be shown: "
                    + Failure(thrown: error).sentence)
        }
    }

    /// The final line: a step and the SHA-256 of its parameters. It is known elsewhere, too.
    private static func announce(_ digest: String?, of step: Int?, _ terminal: Terminal) {
        guard let digest, let step else { return }
        let line = "step \(step) digest \(digest)"
        do throws(Failure) {
            try StandardOutput.write(line + "\n")
        } catch {
            terminal.warn("\(error.sentence): \(line)")
        }
    }

    private static func describe(_ request: RunRequest) throws {
        let prepared =
            request.location.resume
            ? try PreparedRun(
                request.configuration, goingOnIn: RunPaths(request.location.folder))
            : try PreparedRun(request.configuration, mayShrink: request.mayShrink)
        for (label, value) in try prepared.forecast() {
            try StandardOutput.write("\(padded(label, 22)) \(value)\n")
        }
        for note in prepared.textFacts.notes { warn(note.sentence) }
    }

    // MARK: worker

    static func work(_ request: WorkRequest) throws {
        let terminal = Terminal(isQuiet: request.quiet)
        if request.access.isPlain {
            terminal.warn(plainTextWarning("this worker and \(request.coordinator)"))
        }
        let cores = Processors.usable.count
        if request.threads == nil, let words = Processors.usable.fewer {
            terminal.say("\(cores) thread\(cores == 1 ? " computes" : "s compute"): \(words)")
        }
        let options = WorkerOptions(
            coordinator: request.coordinator, access: request.access,
            threads: request.threads ?? cores,
            wait: request.wait, software: Dtrain.software,
            network: request.network)
        // A signal to the whole group (Ctrl-C, a lost terminal, `timeout`, systemd) is a parent's to
        // take, who saves with the workers' help.
        let signals = try Signals(stopping: request.parent == nil ? Signals.stopping : [])
        if let parent = request.parent { Endings.endWith(parent) }
        let worker = try WorkerProcess(options, requests: signals) { report in
            if let sentence = report.sentence { terminal.say(sentence) }
        }
        switch try worker.run() {
        case .finished(let reason): terminal.say("done: \(reason)")
        case .stopped: terminal.say("stopped")
        case .refused(let refusal):
            throw Failure(.other, "the coordinator refuses this worker: \(sentence(of: refusal))")
        case .unfit(let reason): throw Failure(.other, reason)
        }
    }
}
