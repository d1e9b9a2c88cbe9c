import Coordination
import Foundation
import Links
import Messaging
import Model
import Parameters
import Resources
import Ring
import Text
import Wire

/// What the worker's state machine wants done.
extension WorkerProcess {
    func perform(_ action: WorkerAction) {
        switch action {
        case .send(let message): control.post(message.encoded)
        case .reconnect: reconnect()
        case .obey(let order, let held): obey(order, held: held)
        case .abandonStep: ring.abandon()
        case .update(let step, let skipped): update(step: step, skipped: skipped)
        case .abandonCapture: stream = nil
        case .note(let note): report(.note(note))
        case .leave(let outcome): self.outcome = outcome
        }
    }

    private func obey(_ order: CoordinatorMessage, held: Int?) {
        switch order {
        case .welcome(let welcome): build(welcome)
        case .initialise:
            lesson = nil
            runner?.initialise()
        case .slice(let slice): store(slice)
        case .givePiece(let request): give(request)
        case .piece(let piece): learn(piece, from: held)
        case .passStep(let passed): passStep(passed, from: held)
        case .roster(let roster):
            lesson = nil
            formRing(roster)
        case .step(let order): compute(order)
        case .snapshot(let step): capture(step: step)
        case .sliceTaken(let step, _): if stream?.step == step { sendSlice() }
        case .evaluate(let order): evaluate(order)
        case .token(let text): keep(token: text)
        case .refused, .newState, .proven, .abandonSnapshot, .commit, .heartbeat, .sayHello,
            .finish:
            preconditionFailure("the session obeys by itself: \(order)")
        }
    }

    func reconnect() {
        do throws(MessagingError) {
            control = try ControlConnection(
                in: context, isApplication: own != nil && !isRegistered)
        } catch {
            failure = error
        }
    }

    func sayHello() {
        guard let source = control.source else { return }
        var hello = hello
        (hello.run, hello.epoch) = session.obeyed
        // The way may be another than last time: a laptop has moved, a name leads elsewhere.
        let host = options.network.advertised(source, listening: addresses)
        hello.address.tcp =
            options.network.relay
            ? RelayAddress.endpoint(ofInstance: hello.instance)
            : "tcp://\(host):\(ring.endpoints.port)"
        if options.network.isOpen && hello.address.tcp != advertised {
            advertised = hello.address.tcp
            report(options.network.relay ? .relayed : .listening(advertised))
        }
        control.post(WorkerMessage.hello(hello).encoded)
    }

    private func build(_ welcome: Welcome) {
        runNumber = welcome.run
        do {
            let job = try JSONDecoder().decode(
                WorkerJob.self, from: Data(welcome.configuration))
            let mailbox = mailbox
            self.job = job
            let model = try Transformer(
                job.architecture, precision: job.configuration.optimizer.precision)
            // θ, m, v, the total and one gradient; a part of one more is θ rounded.
            try model.requireMemory(vectors: model.precision.keepsCopies ? 6 : 5)
            let runner = StepRunner(
                model: model, arithmetic: job.configuration.optimizer.arithmetic, pool: pool,
                sink: ring,
                total: sharedTotal(count: model.layout.count)
            ) { mailbox.post(.lane($0)) }
            self.runner = runner
            assembly = StateAssembly(into: runner.state)
            lesson = nil
            handle(.built)
        } catch let error as ResourceError {
            refused(error)
        } catch {
            handle(
                .buildFailed(reason: "the run's configuration cannot be used: \(plainWords(error))")
            )
        }
    }

    /// A total vector that neighbours of this host can map; any other if there is no such memory.
    private func sharedTotal(count: Int) -> ParameterVector {
        do throws(MessagingError) {
            let memory = try SharedMemory(byteCount: max(4, 4 * count), writable: false)
            ring.share(memory)
            return memory.vector(count: count)
        } catch {
            // Said when a neighbour is there that would map it.
            ring.share(failure: error)
            return ParameterVector(count: count)
        }
    }

    private func store(_ slice: StateSlice) {
        lesson = nil
        runner?.stateIsWritten()
        guard let position = assembly?.store(slice) else { return }
        control.post(WorkerMessage.sliceTaken(step: slice.step, position: position).encoded)
        if assembly?.isComplete == true { runner?.digestWritten() }
    }

    private func formRing(_ roster: Roster) {
        guard let job else { return }
        pending = nil
        ring.relay(
            through: control.way.map {
                RelayAccess(
                    coordinator: $0.coordinator.description, instance: hello.instance,
                    security: $0.security)
            })
        ring.form(
            RingMembership(
                run: runNumber, generation: roster.generation, rank: roster.rank,
                shardBounds: roster.bounds, successor: roster.successor,
                transport: job.configuration.cluster.transport,
                collective: job.configuration.cluster.collective,
                wire: job.configuration.cluster.wire, seed: job.configuration.optimizer.seed,
                predecessorIsRelayed: roster.predecessorIsRelayed,
                patience: .milliseconds(session.peerTimeout.count), keys: roster.keys,
                chunkBytes: roster.chunkBytes > 0 ? roster.chunkBytes : nil,
                boards: roster.boards))
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

    /// The shards as the model takes them; a shard that does not fit the model ends the worker.
    private func inputs(_ shards: [ShardWords]) -> [(shard: Int, input: ModelInput)]? {
        guard let job else { return nil }
        do {
            return try shards.map { words in
                let input = ModelInput(try Shard(flattened: words.words))
                try input.validate(for: job.architecture)
                return (words.shard, input)
            }
        } catch {
            handle(
                .orderUnfit(
                    reason: "the coordinator sent words that do not fit: \(plainWords(error))"))
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
        let digest = FastDigest(combining: copies.map { FastDigest($0) })
        control.post(
            WorkerMessage.captured(HeldState(step: step, digest: digest)).encoded)
        stream = StateStream(step: step, adamCount: state.adamCount, sections: copies)
        for _ in 0..<StateStream.window { sendSlice() }
    }

    private func sendSlice() {
        guard let slice = stream?.take() else { return }
        control.post(WorkerMessage.slice(slice).encoded)
        if stream?.isFinished == true { stream = nil }
    }
}
