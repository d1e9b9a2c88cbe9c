import CLinux
import Coordination
import Foundation
import Kernels
import Messaging
import Model
import Parameters
import Ring
import Text
import Training
import Wire

/// A worker: obeys its `WorkerSession`, owns the control socket, the lanes and the ring.
package final class WorkerProcess {
    private enum Arrival: Sendable {
        case lane(LaneEvent)
        case ring(RingEvent)
    }

    private let options: WorkerOptions
    private let report: (WorkerReport) -> Void
    private let signals: Signals
    private let context: Context
    private let mailbox: Mailbox<Arrival>
    private let ring: RingThread
    private let pool: LanePool
    private let hello: Hello
    private var control: ControlConnection
    private var session: WorkerSession
    private var job: WorkerJob?
    private var runner: StepRunner?
    private var assembly: StateAssembly?
    private var stream: StateStream?
    private var pending: PendingVote?
    private var attempts = 0
    private var runNumber: UInt64 = 0
    private var outcome: WorkerOutcome?
    private var alone = Waiting()

    /// Takes memory for nothing but sockets; the model comes with the coordinator's welcome.
    package init(
        _ options: WorkerOptions, report: @escaping (WorkerReport) -> Void
    ) throws(MessagingError) {
        self.options = options
        self.report = report
        let terminal = options.parent == nil ? [SIGINT, SIGTERM] : [SIGTERM]
        signals = Signals(terminal)
        if let parent = options.parent { Self.endWith(parent) }
        context = try Context()
        let mailbox = try Mailbox<Arrival>()
        self.mailbox = mailbox
        ring = try RingThread(context: context, configuration: RingConfiguration()) {
            mailbox.post(.ring($0))
        }
        pool = LanePool(lanes: options.threads)
        session = WorkerSession(deadlines: Deadlines(peerTimeout: Milliseconds(10_000)))
        hello = Self.hello(options, ring.endpoints)
        control = try ControlConnection(to: options.coordinator, in: context)
    }

    /// The parent's death ends this process; so does a parent that is gone already.
    private static func endWith(_ parent: Int32) {
        signal(SIGINT, SIG_IGN)
        _ = dtrain_die_with_parent()
        if getppid() != parent { exit(1) }
    }

    private static func hello(_ options: WorkerOptions, _ endpoints: RingEndpoints) -> Hello {
        let probe = arithmeticProbe()
        let host = endpoints.host
        return Hello(
            software: options.software,
            address: PeerAddress(
                hostKey: host.key, hostName: host.name,
                ipc: endpoints.ipc ?? "", tcp: endpoints.tcp),
            processID: Int(getpid()), threads: options.threads, kernel: Processor.kernelName,
            probe: WireDigest(high: probe.high, low: probe.low))
    }

    // MARK: the loop

    /// Works until the run ends, the coordinator refuses, or none comes.
    package func run() throws -> WorkerOutcome {
        defer {
            ring.stop()
            pool.stop()
        }
        sayHello()
        while outcome == nil {
            try waitForSomething()
            takeSignals()
            try takeMessagesUntilBroken()
            for arrival in mailbox.take() { take(arrival) }
            handle(.tick(progress: progress, waitingFor: ring.progress.waitsFor.rawValue))
            try reportLoneliness()
            try control.flush()
        }
        if outcome == .stopped { try control.flush(until: .now + .milliseconds(200)) }
        report(.ended(outcome!))
        return outcome!
    }

    private func waitForSomething() throws(MessagingError) {
        var poller = Poller()
        control.join(&poller)
        poller.add(mailbox.wakeup)
        poller.add(descriptor: signals.descriptor, for: .readable)
        _ = try poller.wait(until: .after(session.tickInterval))
    }

    private func takeSignals() {
        while let signal = signals.next() {
            if alone.isStopping { exit(130) }
            alone.isStopping = true
            _ = signal
            handle(.stopRequested)
        }
    }

    /// What came before the connection broke is taken first: it may be the run's end.
    private func takeMessagesUntilBroken() throws(MessagingError) {
        let connection = control
        let isBroken = try connection.hasBroken()
        try takeMessages()
        if isBroken && connection === control { handle(.disconnected) }
    }

    private func takeMessages() throws(MessagingError) {
        while outcome == nil {
            let bytes: [UInt8]?
            do {
                bytes = try control.receive()
            } catch .tooManyBytes, .tooManyFrames, .tooFewFrames {
                handle(.disconnected)
                continue
            }
            guard let bytes else { return }
            alone.heard()
            do throws(WireError) {
                handle(.received(try CoordinatorMessage(decoding: bytes)))
            } catch .otherProtocol(let theirs, let ours) {
                outcome = .unfit(
                    reason: "the coordinator speaks protocol \(theirs), this worker \(ours)")
            } catch {
                handle(.disconnected)
            }
        }
    }

    private var progress: UInt64 {
        (runner?.progress.load(ordering: .relaxed) ?? 0) &+ ring.progress.count
    }

    private func handle(_ event: WorkerEvent) {
        for action in session.receive(event, at: Clock.now) where outcome == nil {
            perform(action)
        }
    }

    // MARK: what the session wants done

    private func perform(_ action: WorkerAction) {
        switch action {
        case .send(let message): control.post(message.encoded)
        case .reconnect: reconnect()
        case .build(let welcome): build(welcome)
        case .initialise: runner?.initialise()
        case .store(let slice): store(slice)
        case .formRing(let roster): formRing(roster)
        case .compute(let order): compute(order)
        case .abandonStep: ring.abandon()
        case .update(let step, let skipped): update(step: step, skipped: skipped)
        case .capture(let step): capture(step: step)
        case .moreSlices(let step, _): if stream?.step == step { sendSlice() }
        case .abandonCapture: stream = nil
        case .evaluate(let order): evaluate(order)
        case .note(let note): report(.note(note))
        case .leave(let outcome): self.outcome = outcome
        }
    }

    private func reconnect() {
        alone = Waiting(isStopping: alone.isStopping)
        do throws(MessagingError) {
            control = try ControlConnection(to: options.coordinator, in: context)
            sayHello()
        } catch {
            outcome = .unfit(reason: "no socket could be made: \(error)")
        }
    }

    private func sayHello() {
        var hello = hello
        (hello.run, hello.epoch) = session.obeyed
        control.post(WorkerMessage.hello(hello).encoded)
    }

    private func build(_ welcome: Welcome) {
        runNumber = welcome.run
        do {
            let job = try JSONDecoder().decode(
                WorkerJob.self, from: Data(welcome.configuration))
            let mailbox = mailbox
            self.job = job
            let runner = StepRunner(
                model: try Transformer(job.architecture), settings: .init(job.configuration),
                pool: pool, sink: ring
            ) { mailbox.post(.lane($0)) }
            self.runner = runner
            assembly = StateAssembly(into: runner.state)
            handle(.built)
        } catch {
            handle(.buildFailed(reason: "the run's configuration cannot be used: \(error)"))
        }
    }

    private func store(_ slice: StateSlice) {
        runner?.forgetGradients()
        guard let position = assembly?.store(slice) else { return }
        control.post(WorkerMessage.sliceTaken(step: slice.step, position: position).encoded)
        if assembly?.isComplete == true { handle(.stateStored(step: slice.step)) }
    }

    private func formRing(_ roster: Roster) {
        guard let job else { return }
        pending = nil
        let successor = roster.successor.map {
            RingEndpoints(
                host: HostIdentity(key: $0.hostKey),
                ipc: $0.ipc.isEmpty ? nil : $0.ipc, tcp: $0.tcp)
        }
        ring.form(
            RingMembership(
                run: runNumber, generation: roster.generation, rank: roster.rank,
                shardBounds: roster.bounds, successor: successor,
                transport: .init(job.configuration.transport),
                collective: job.configuration.collective == .fold ? .fold : .ring))
    }

    private func compute(_ order: StepOrder) {
        guard let inputs = inputs(order.shards) else { return }
        attempts += 1
        pending = PendingVote(order: order, attempt: attempts)
        runner?.compute(order, inputs, attempt: attempts)
    }

    private func evaluate(_ order: EvaluationOrder) {
        guard let inputs = inputs(order.shards) else { return }
        runner?.evaluate(order, inputs)
    }

    /// The shards as the model takes them; a shard that does not fit the model ends the connection.
    private func inputs(_ shards: [ShardWords]) -> [(shard: Int, input: ModelInput)]? {
        guard let job else { return nil }
        do {
            return try shards.map { words in
                let input = ModelInput(try Shard(flattened: words.words))
                try input.validate(for: job.architecture)
                return (words.shard, input)
            }
        } catch {
            handle(.disconnected)
            return nil
        }
    }

    private func update(step: Int, skipped: Bool) {
        guard let pending, let norm = pending.squaredNorm else {
            preconditionFailure("an update of step \(step), which was not folded")
        }
        runner?.update(
            step: step, skipped: skipped, squaredNorm: norm,
            learningRate: pending.order.learningRate)
    }

    // MARK: snapshots

    private func capture(step: Int) {
        guard let state = runner?.state else { return }
        let copies = [state.parameters, state.firstMoment, state.secondMoment].map {
            let copy = ParameterVector(count: state.count)
            copy.copy(from: $0)
            return copy
        }
        stream = StateStream(step: step, adamCount: state.adamCount, sections: copies)
        for _ in 0..<StateStream.window { sendSlice() }
    }

    private func sendSlice() {
        guard let slice = stream?.take() else { return }
        control.post(WorkerMessage.slice(slice).encoded)
        if stream?.isFinished == true { stream = nil }
    }

    // MARK: what lanes and ring have to say

    private func take(_ arrival: Arrival) {
        switch arrival {
        case .lane(.initialised): handle(.initialised)
        case .lane(.updated(let step)): handle(.updated(step: step))
        case .lane(.evaluated(let evaluation)): handle(.evaluated(evaluation))
        case .lane(.computed(let reports, let seconds, let attempt)):
            complete(attempt) {
                $0.reports = reports
                $0.computeSeconds = seconds
            }
        case .lane(.stateDigest(let digest, let attempt)): complete(attempt) { $0.state = digest }
        case .lane(.squaredNorm(let norm, let attempt)):
            let bad = norm.isFinite ? [] : runner?.nonFiniteShards() ?? []
            complete(attempt) {
                $0.squaredNorm = norm
                $0.nonFiniteShards = bad
            }
        case .ring(.formed(let generation)): handle(.ringFormed(generation))
        case .ring(.broken(let generation, let reason)):
            handle(.ringBroken(generation, reason: "\(reason)"))
        case .ring(.folded(let step, let digest, let timings)):
            guard let pending, pending.order.step == Int(step) else { return }
            complete(pending.attempt) {
                $0.total = WireDigest(high: digest.high, low: digest.low)
                $0.waitSeconds = timings.waitSeconds
                $0.foldSeconds = timings.foldSeconds
            }
            runner?.normTotal(attempt: pending.attempt)
        }
    }

    private func complete(_ attempt: Int, _ change: (inout PendingVote) -> Void) {
        guard pending?.attempt == attempt else { return }
        change(&pending!)
        if let vote = pending?.vote { handle(.folded(vote)) }
    }

    private func reportLoneliness() throws {
        guard session.phase == .joining else { return }
        if let seconds = alone.report() {
            report(.stillWaiting(coordinator: options.coordinator, seconds: seconds))
        }
        guard alone.seconds < options.wait.seconds else {
            throw WorkerError.coordinatorNeverCame(
                options.coordinator, seconds: Int(options.wait.seconds))
        }
    }
}
