import Checkpoint
import Coordination
import Events
import Foundation
import Inference
import Kernels
import Messaging
import Model
import Parameters
import Preparation
import Resources
import Settings
import Text
import Threads
import Training
import Wire

/// Why a run cannot begin, where no other module says it.
package enum RunError: Error, Equatable, Sendable {
    /// Not even one checkpoint would fit.
    case diskTooFull(path: String, needed: Int, free: Int)
    /// A setting that changes numbers is another in `configuration.yaml` than in the checkpoint.
    case otherSettings(
        Setting, file: String, says: String?, checkpoint: String, madeWith: String?)
}

/// A run as a user asks for it: `train` and `coordinator`.
package struct TrainingRun {
    package var configuration: RunConfiguration
    package var location: RunLocation
    /// Starts its own workers, as `train` does.
    package var hasLocalWorkers: Bool
    package var bind: Address
    /// How the coordinator is found, and the rings of its own workers.
    package var network: NetworkChoices
    package var software: String
    /// The vocabulary may be smaller where the text does not allow so many pieces.
    package var mayShrink: Bool

    package init(
        configuration: RunConfiguration, location: RunLocation, hasLocalWorkers: Bool,
        bind: Address, network: NetworkChoices = .init(), software: String, mayShrink: Bool = false
    ) {
        self.configuration = configuration
        self.location = location
        self.hasLocalWorkers = hasLocalWorkers
        self.bind = bind
        self.network = network
        self.software = software
        self.mayShrink = mayShrink
    }

    package struct Result: Sendable {
        package var outcome: Outcome
        /// Where the run lies.
        package var folder: String
        package var prepared: PreparedRun
        /// The last committed step.
        package var step: Int
        /// Of the newest checkpoint's parameters.
        package var digest: String?
        /// There was nothing to do.
        package var wasDone: Bool
    }

    /// Runs to the end, or until it is stopped.
    ///
    /// Throws what the text, the folder, the socket or a worker that keeps dying has to say; the run
    /// folder is untouched unless the text, the settings and the address are fit.
    ///
    /// - Parameters:
    ///   - requests: is called once, before the first file is written; a request to stop saves from
    ///     then on.
    ///   - observers: are told what happens, each on a thread of its own, until this returns.
    package func run(
        requests: () throws -> any RequestSource, observers: [any RunObserver]
    ) throws -> Result {
        let recovery =
            location.resume ? try RunRecovery.find(in: RunPaths(location.folder)) : nil
        try recovery?.require(arithmetic: ArithmeticVersion.current, of: location.folder)
        let lost = location.resume ? try SavedSettings(of: location.folder).repair : nil
        let resumed = try recovery.flatMap { try self.resumed(from: $0) }
        let memory =
            location.resume
            ? try TextMemory(RunPaths(location.folder), resumed?.folder) : nil
        let lostText =
            location.resume
            ? try TextMemory.repair(RunPaths(location.folder), resumed?.folder) : nil
        let prepared = try PreparedRun(
            configuration, memory: memory, tokenizer: resumed?.tokenizer, mayShrink: mayShrink)
        let resumedStep = resumed?.folder.step
        let lastStep = prepared.lastStep ?? Int(Int32.max)
        if let resumedStep, resumedStep >= lastStep {
            return Result(
                outcome: .finished(step: resumedStep), folder: location.folder,
                prepared: prepared, step: resumedStep, digest: resumed?.folder.digest,
                wasDone: true)
        }
        let warmStart = try warmStart(prepared)
        let requests = try requests()
        let keys = try keys()
        let host = try RunHost(
            bind, advertise: network.advertise, keys: keys, shards: configuration.batches.shards,
            layers: prepared.model.layers.count, requests: requests)
        let folder = try folder(following: recovery, hasLostSettings: lost != nil)
        let store = try store(folder, prepared, host.mailbox, recovery)
        defer { store.close() }
        let observers = try RunObservers(
            observers + [store.metrics, EventsObserver(folder.paths.events)])
        defer { observers.close() }
        var digest = resumed?.folder.digest
        let setup = try setup(prepared, folder, store, resumed?.folder, warmStart, lastStep)
        try keys?.save(in: folder.paths)
        try folder.save(fingerprint: prepared.savedText.encoded)
        try folder.save(configuration: prepared.configuration.yaml, writer: software)
        try folder.save(address: host.endpoint.address.description)
        let repairs = [lost, lostText].compactMap { $0 } + folder.repairs + (keys?.repairs ?? [])
        for repair in repairs + store.repairs { observers.post(.repaired(repair)) }
        linkAsLatest(folder, observers)
        if memory == TextMemory.none { observers.post(.textUnchecked) }
        observers.post(.prepared(summary(folder, prepared, resumedStep, lastStep)))
        var ending = Ending(nil, step: resumedStep ?? 0)
        defer { observers.post(.ended(ending)) }
        let (outcome, step) = try host.coordinate(setup, ownWorkers(folder)) { report in
            switch report {
            case .step(let step): ending.step = step.step
            case .checkpoint(let saved): digest = saved.digest
            default: break
            }
            observers.post(report)
        }
        ending = Ending(outcome, step: step)
        return Result(
            outcome: outcome, folder: folder.paths.folder, prepared: prepared, step: step,
            digest: digest, wasDone: false)
    }

    private func ownWorkers(_ folder: RunFolder) -> RunHost.OwnWorkers? {
        guard hasLocalWorkers else { return nil }
        return .init(
            count: configuration.cluster.workers,
            threads: configuration.cluster.threads(cores: Processors.usable.count),
            arguments: network.arguments + (configuration.cluster.insecure ? ["--insecure"] : []),
            logs: folder.paths.logs)
    }

    // MARK: what to go on from

    private struct Resumed {
        var folder: CheckpointFolder
        var tokenizer: Tokenizer?
    }

    /// Throws: `otherSettings`; `CheckpointError`, `TextError` of the checkpoint.
    private func resumed(from recovery: RunRecovery) throws -> Resumed? {
        guard let folder = recovery.checkpoint else { return nil }
        let madeWith = try CheckpointFacts(folder).configuration
        for setting in Setting.allCases
        where !setting.row.effect.mayChangeOnResume && setting.row.kind != .path {
            let (ours, theirs) = (configuration.text(setting), madeWith.text(setting))
            guard ours == theirs else {
                throw RunError.otherSettings(
                    setting, file: location.configurationFile, says: ours,
                    checkpoint: folder.path, madeWith: theirs)
            }
        }
        return Resumed(folder: folder, tokenizer: try Tokenizer(of: folder))
    }

    private func keys() throws -> RunKeys? {
        if configuration.cluster.insecure { return nil }
        // What lies under a name that nobody has given may be another run's.
        if location.isStandard { return try RunKeys.passing() }
        return try RunKeys.ofRun(in: location.folder, isResumed: location.resume)
    }

    private func folder(
        following recovery: RunRecovery?, hasLostSettings: Bool
    ) throws(CheckpointError) -> RunFolder {
        if let recovery {
            return try RunFolder.resume(
                location.folder, recovery: recovery, hasLostSettings: hasLostSettings)
        }
        return location.isStandard
            ? try RunFolder.createNext(to: location.folder)
            : try RunFolder.create(location.folder)
    }

    /// A run goes on without the link.
    private func linkAsLatest(_ folder: RunFolder, _ observers: RunObservers) {
        do throws(CheckpointError) {
            try folder.linkAsLatest(
                path: location.isStandard ? folder.paths.folder : location.given)
        } catch {
            observers.post(.notLinked(error))
        }
    }

    /// The parameters of another run's newest checkpoint, as a state before step 1.
    private func warmStart(_ prepared: PreparedRun) throws -> LoadedState? {
        guard let path = configuration.text.from else { return nil }
        let state = LoadedState(
            step: 0, adamCount: 0, sections: vectors(prepared.model.layout.count))
        try FirstParameters(path).load(prepared.model.layout, into: state.sections[0])
        guard prepared.model.computes(with: state.sections[0]) else {
            throw InferenceError.notFinite(checkpoint: path)
        }
        return state
    }

    private func vectors(_ count: Int) -> [ParameterVector] {
        StateSection.allCases.map { _ in ParameterVector(count: count) }
    }

    private func loadState(
        _ step: Int, _ prepared: PreparedRun, _ resumed: CheckpointFolder?,
        _ warmStart: LoadedState?, _ run: RunFolder
    ) throws -> LoadedState {
        if step == 0, let warmStart { return warmStart }
        let folder: CheckpointFolder
        if let resumed, resumed.step == step {
            folder = resumed
        } else {
            folder = try checkpoint(step, of: run)
        }
        let state = LoadedState(
            step: folder.step, adamCount: folder.state.adamCount,
            sections: vectors(prepared.model.layout.count))
        try folder.load(prepared.model.layout, into: state.sections)
        return state
    }

    /// The checkpoint of just this step, which has been written since the run was opened.
    private func checkpoint(_ step: Int, of run: RunFolder) throws(CheckpointError)
        -> CheckpointFolder
    {
        let candidates = try CheckpointShelf(run.paths.checkpoints).candidates()
        guard let path = candidates.first(where: { $0.step == step })?.path else {
            throw .noRun(path: run.paths.checkpoints)
        }
        return try CheckpointFolder(path)
    }

    // MARK: parts

    private func store(
        _ folder: RunFolder, _ prepared: PreparedRun,
        _ mailbox: Mailbox<CoordinatorProcess.Arrival>, _ recovery: RunRecovery?
    ) throws -> RunStore {
        let facts = CheckpointFacts(
            architecture: prepared.model.architecture, configuration: prepared.configuration,
            software: software, text: prepared.savedText)
        let needed = CheckpointWriter.bytesNeeded(
            tensors: prepared.tensors, tokenizer: prepared.tokenizer.model)
        let free = try freeBytes(at: folder.paths.folder)
        guard free >= needed else {
            throw RunError.diskTooFull(path: folder.paths.folder, needed: needed, free: free)
        }
        let perEpoch = prepared.schedule.batchesPerEpoch
        let checkpoints = try CheckpointThread(
            paths: folder.paths,
            contents: .init(
                tensors: prepared.tensors, tokenizer: prepared.tokenizer.model, more: facts.json,
                epoch: { ($0 + perEpoch - 1) / perEpoch }),
            keep: configuration.reporting.keep
        ) { mailbox.post(.disk($0)) }
        return try RunStore(folder: folder, checkpoints: checkpoints, recovery: recovery)
    }

    private func setup(
        _ prepared: PreparedRun, _ folder: RunFolder, _ store: RunStore,
        _ resumed: CheckpointFolder?, _ warmStart: LoadedState?, _ lastStep: Int
    ) throws -> CoordinatorSetup {
        CoordinatorSetup(
            policy: try policy(prepared, folder, lastStep), configuration: configuration,
            batches: CorpusBatches(
                schedule: prepared.schedule, heldOut: prepared.heldOutBatches),
            parameterCount: prepared.model.layout.count,
            layers: prepared.model.layers.map(\.name),
            store: store,
            loadState: { try loadState($0, prepared, resumed, warmStart, folder) },
            resumedFrom: resumed?.step ?? (warmStart == nil ? nil : 0),
            recorded: try store.lastLine(),
            skips: configuration.optimizer.onNaN == .skip
                ? try store.skips(from: resumed?.step ?? 0) : .init())
    }

    private func policy(
        _ prepared: PreparedRun, _ folder: RunFolder, _ lastStep: Int
    ) throws -> CoordinatorPolicy {
        let job = WorkerJob(
            architecture: prepared.model.architecture, configuration: configuration)
        return CoordinatorPolicy(
            configuration, run: folder.identity, epoch: folder.incarnation, software: software,
            job: try job.encoded(), steps: lastStep,
            validationBatches: prepared.heldOutBatches.count)
    }

    private func summary(
        _ folder: RunFolder, _ prepared: PreparedRun, _ resumedStep: Int?, _ lastStep: Int
    ) -> RunSummary {
        RunSummary(
            folder: folder.paths.folder, resumedFrom: resumedStep, text: prepared.textFacts,
            vocabulary: prepared.tokenizer.vocabulary, parameters: prepared.model.layout.count,
            batchesPerEpoch: prepared.schedule.batchesPerEpoch, steps: lastStep,
            workers: configuration.cluster.workers)
    }
}
