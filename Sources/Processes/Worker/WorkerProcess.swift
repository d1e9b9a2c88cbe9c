import Coordination
import Links
import Messaging
import Parameters
import Resources
import Ring
import Threads
import Wire

/// A worker: obeys its `WorkerSession`, owns the control socket, the lanes and the ring.
package final class WorkerProcess {
    private enum Arrival: Sendable {
        case lane(LaneEvent)
        case ring(RingEvent)
        /// A thread that tried a link for `doctor` has ended, perhaps with an answer.
        case tried(LinkMessage?)
        case search(Search.Finding)
    }

    private let report: (WorkerReport) -> Void
    private let requests: any RequestSource
    private let mailbox: Mailbox<Arrival>
    /// Lets neighbours in; nil for plain text.
    private let gate: Gate?
    private let ring: RingThread
    private let pool: LanePool
    private var introduction: Introduction
    private var line: CoordinatorLine
    private var session: WorkerSession
    private var computation: Computation
    /// Nil until the model is built.
    private var transfer: StateTransfer?
    private var attempts: LinkAttempts
    private var strangers = TurnedAway()
    private var saidFallbacks: Set<RingWay> = []
    /// Why there is nothing to be hoped for.
    private var failure: (any Error)?
    private var outcome: WorkerOutcome?
    private var isStopping = false

    /// Takes memory for nothing but sockets; the model comes with the coordinator's welcome.
    ///
    /// Throws `MessagingError`, `NetworkChoices.Failure`.
    package init(
        _ options: WorkerOptions, requests: any RequestSource,
        report: @escaping (WorkerReport) -> Void
    ) throws {
        self.requests = requests
        self.report = report
        let context = try Context()
        let mailbox = try Mailbox<Arrival>()
        self.mailbox = mailbox
        let addresses = try options.network.listening()
        // Before any socket that asks it.
        gate = options.access.isPlain ? nil : try Gate(context)
        let own = options.access.isPlain ? nil : try KeyPair.random()
        var configuration = RingConfiguration()
        configuration.addresses = addresses
        configuration.ports = options.network.ringPorts
        if let own, let gate { configuration.security = RingSecurity(keys: own, gate: gate) }
        ring = try Self.ring(configuration, context, mailbox)
        pool = try LanePool(lanes: options.threads)
        session = WorkerSession(deadlines: Deadlines(peerTimeout: Milliseconds(10_000)))
        introduction = Introduction(
            options, ring.endpoints, listening: addresses, own?.publicKey)
        line = try CoordinatorLine(options, own: own, in: context) { mailbox.post(.search($0)) }
        computation = Computation(on: pool, folding: ring) { mailbox.post(.lane($0)) }
        attempts = LinkAttempts(options.network, listening: addresses) { mailbox.post(.tried($0)) }
    }

    private static func ring(
        _ configuration: RingConfiguration, _ context: Context, _ mailbox: Mailbox<Arrival>
    ) throws -> RingThread {
        do throws(MessagingError) {
            return try RingThread(context: context, configuration: configuration) {
                mailbox.post(.ring($0))
            }
        } catch {
            guard case .addressInUse = error, let ports = configuration.ports else { throw error }
            throw NetworkChoices.Failure.portsInUse(ports)
        }
    }

    // MARK: the loop

    /// Works until the run ends, the coordinator refuses, or none comes.
    package func run() throws -> WorkerOutcome {
        defer {
            ring.stop()
            pool.stop()
        }
        while outcome == nil {
            if let source = try line.reach() { sayHello(from: source) }
            try waitForSomething()
            takeRequests()
            try takeMessagesUntilBroken()
            for arrival in mailbox.take() { take(arrival) }
            handle(.tick(progress))
            try endIfHopeless()
            try line.flush()
        }
        if outcome == .stopped { try line.flushLast() }
        let moved = ring.progress
        report(.moved(bytes: moved.bytesSent, overTCP: moved.bytesSentOverTCP))
        report(.ended(outcome!))
        return outcome!
    }

    private func waitForSomething() throws(MessagingError) {
        var poller = Poller()
        line.join(&poller)
        poller.add(mailbox.wakeup)
        poller.add(descriptor: requests.descriptor, for: .readable)
        _ = try poller.wait(until: line.wakes(before: .after(session.tickInterval)))
    }

    private func takeRequests() {
        while let request = requests.next() {
            switch request {
            case .status: report(.dump("\(session.brief); \(progress.brief)"))
            case .stop where !isStopping:
                isStopping = true
                handle(.stopRequested)
            case .stop: break
            }
        }
    }

    private var progress: WorkProgress {
        let fold = ring.progress
        return WorkProgress(
            count: computation.progress &+ fold.count, slice: fold.chunksKnown,
            slices: fold.chunks, waitingFor: fold.waitsFor.rawValue)
    }

    private func endIfHopeless() throws {
        if let failure {
            try? line.flushLast()
            throw failure
        }
        if session.phase == .joining { try line.wait(report) }
    }

    // MARK: what comes

    private func sayHello(from source: IPAddress) {
        let (hello, news) = introduction.words(from: source, obeyed: session.obeyed)
        if let news { report(news) }
        post(.hello(hello))
    }

    /// What came before the connection broke is taken first: it may be the run's end.
    private func takeMessagesUntilBroken() throws(MessagingError) {
        let connection = line.connection
        let broken = try connection.takeBreak()
        try takeMessages()
        guard connection === line.connection, let broken else { return }
        switch broken {
        case .ended: handle(.disconnected)
        case .notShaken(let reason): follow(line.turnedAway(reason))
        }
    }

    private func takeMessages() throws(MessagingError) {
        while outcome == nil {
            let bytes: [UInt8]?
            do {
                bytes = try line.receive()
            } catch .tooManyBytes, .tooManyFrames, .tooFewFrames {
                handle(.disconnected)
                continue
            }
            guard let bytes else { return }
            take(bytes)
        }
    }

    private func take(_ bytes: [UInt8]) {
        if line.connection.isApplication { return follow(line.answered(bytes)) }
        if LinkMessage.isOne(bytes) {
            if let answer = attempts.take(bytes) { line.post(answer.encoded) }
            return
        }
        do throws(WireError) {
            handle(.received(try CoordinatorMessage(decoding: bytes)))
        } catch .otherProtocol(let theirs, let ours) {
            outcome = .otherProtocol(theirs: theirs, ours: ours)
        } catch {
            line.hasDoubts()
            handle(.disconnected)
        }
    }

    private func follow(_ turn: CoordinatorLine.Turn) {
        switch turn {
        case .nothing: break
        case .reconnects: reconnect()
        case .disconnected: handle(.disconnected)
        case .refused(let end): outcome = end
        case .hopeless(let error): failure = error
        }
    }

    private func take(_ arrival: Arrival) {
        switch arrival {
        case .tried(let message):
            attempts.ended()
            if let message { line.post(message.encoded) }
        case .search(let finding):
            do throws(WorkerError) {
                try line.take(finding)
            } catch {
                // Some coordinator has answered since.
                if session.phase == .joining { failure = error }
            }
        case .lane(let event):
            for event in computation.take(event, held: session.held) { handle(event) }
        case .ring(let event): take(event)
        }
    }

    private func take(_ event: RingEvent) {
        switch event {
        case .formed(let generation): handle(.reports(.formed(generation)))
        case .fellBack(let way, let reason):
            if saidFallbacks.insert(way).inserted { report(.fellBack(from: way, reason: reason)) }
        case .turnedAway(let host, let reason):
            let kind = TurnedAway.Kind(host: host, reason: reason)
            guard let more = strangers.note(kind, at: .now) else { break }
            report(.turnedAway(host: host, reason, more: more))
        case .broken(let generation, let reason):
            handle(.reports(.ringBroken(generation, reason.fault)))
        case .folded(let step, let digest, let timings):
            for event in computation.folded(step, digest, timings) { handle(event) }
        }
    }

    // MARK: what the session wants done

    private func handle(_ event: WorkerEvent) {
        for action in session.receive(event, at: Clock.now) where outcome == nil {
            perform(action)
        }
    }

    private func perform(_ action: WorkerAction) {
        switch action {
        case .send(let message): post(message)
        case .reconnect: reconnect()
        case .obey(let order, let held): obey(order, held: held)
        case .abandonStep: ring.abandon()
        case .update(let step, let skipped): computation.update(step: step, skipped: skipped)
        case .abandonCapture: transfer?.abandonCapture()
        case .note(let note): report(.note(note))
        case .leave(let end): outcome = end
        }
    }

    private func obey(_ order: CoordinatorMessage, held: Int?) {
        switch order {
        case .welcome(let welcome): build(welcome)
        case .initialise:
            transfer?.endLesson()
            computation.initialise()
        case .slice(let slice): post(transfer?.store(slice))
        case .givePiece(let request): post(transfer?.give(request))
        case .piece(let piece): learn(piece, from: held)
        case .passStep(let passed): transfer?.pass(passed, from: held)
        case .roster(let roster): form(roster)
        case .step(let order): fit { try computation.compute(order) }
        case .snapshot(let step):
            for message in transfer?.capture(step: step) ?? [] { post(message) }
        case .sliceTaken(let step, _): post(transfer?.next(of: step))
        case .evaluate(let order): fit { try computation.evaluate(order) }
        case .token(let text): line.keep(token: text)
        case .refused, .newState, .proven, .abandonSnapshot, .commit, .heartbeat, .sayHello,
            .finish:
            preconditionFailure("the session obeys by itself: \(order)")
        }
    }

    private func post(_ message: WorkerMessage?) {
        if let message { line.post(message.encoded) }
    }

    private func reconnect() {
        do throws(MessagingError) {
            try line.reconnect()
        } catch {
            failure = error
        }
    }

    private func build(_ welcome: Welcome) {
        do {
            transfer = StateTransfer(of: try computation.build(welcome))
            handle(.built)
        } catch let error as ResourceError {
            // The system refuses what the run needs: the coordinator is told as well.
            failure = error
            post(.leaving(reason: "\(error)"))
        } catch {
            handle(
                .buildFailed(reason: "the run's configuration cannot be used: \(plainWords(error))")
            )
        }
    }

    private func form(_ roster: Roster) {
        transfer?.endLesson()
        let relay = line.way.map {
            RelayAccess(
                coordinator: $0.coordinator.description, instance: introduction.instance,
                security: $0.security)
        }
        computation.form(roster, through: relay, patience: session.peerTimeout)
    }

    private func learn(_ piece: StatePiece, from held: Int?) {
        do throws(Lesson.Unfit) {
            post(try transfer?.learn(piece, from: held))
        } catch {
            handle(.disconnected)
        }
    }

    /// Carries out an order with words in it; a shard that does not fit the model ends the worker.
    private func fit(_ order: () throws -> Void) {
        do {
            try order()
        } catch {
            handle(
                .orderUnfit(
                    reason: "the coordinator sent words that do not fit: \(plainWords(error))"))
        }
    }
}
