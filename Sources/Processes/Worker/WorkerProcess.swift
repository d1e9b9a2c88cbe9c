import CLinux
import Coordination
import Foundation
import Kernels
import Links
import Messaging
import Model
import Parameters
import Resources
import Ring
import Text
import Threads
import Training
import Wire

/// A worker: obeys its `WorkerSession`, owns the control socket, the lanes and the ring.
package final class WorkerProcess {
    enum Arrival: Sendable {
        case lane(LaneEvent)
        case ring(RingEvent)
        /// A thread that tried a link for `doctor` has ended, perhaps with an answer.
        case tried(LinkMessage?)
        case search(Search.Finding)
    }

    let options: WorkerOptions
    let report: (WorkerReport) -> Void
    private let requests: any RequestSource
    let context: Context
    let mailbox: Mailbox<Arrival>
    let ring: RingThread
    let pool: LanePool
    let hello: Hello
    /// Where the ring listens, and the endpoint that others were told last.
    let addresses: [IPAddress]
    var advertised = ""
    var control: ControlConnection
    var search: Search
    /// Why the connection is not even begun, and when that is tried again.
    private var hindrance: Hindrance?
    /// Which of the coordinator's addresses is tried.
    private var turn = 0
    var nextAttempt = ContinuousClock.now
    /// The key that it speaks under, and the token that registers it; nil for plain text.
    let own: KeyPair?
    let gate: Gate?
    var token: Token?
    /// The coordinator knows `own`.
    var isRegistered = false
    var setbacks = Setbacks()
    var strangers = TurnedAway()
    /// Threads that try links for `doctor`.
    var trials = 0
    /// Why there is nothing to be hoped for.
    var failure: (any Error)?
    var session: WorkerSession
    var job: WorkerJob?
    var runner: StepRunner?
    var assembly: StateAssembly?
    var stream: StateStream?
    /// A state that is being learned from the members.
    var lesson: Lesson?
    var pending: PendingVote?
    var attempts = 0
    var runNumber: UInt64 = 0
    var outcome: WorkerOutcome?
    var alone = Waiting()
    var saidFallbacks: Set<RingWay> = []
    private var isStopping = false

    /// Takes memory for nothing but sockets; the model comes with the coordinator's welcome.
    ///
    /// Throws `MessagingError`, `NetworkChoices.Failure`.
    package init(
        _ options: WorkerOptions, requests: any RequestSource,
        report: @escaping (WorkerReport) -> Void
    ) throws {
        self.options = options
        self.requests = requests
        self.report = report
        context = try Context()
        let mailbox = try Mailbox<Arrival>()
        self.mailbox = mailbox
        addresses = try options.network.listening()
        // Before any socket that asks it.
        gate = options.access.isPlain ? nil : try Gate(context)
        own = options.access.isPlain ? nil : try KeyPair.random()
        var configuration = RingConfiguration()
        configuration.addresses = addresses
        configuration.ports = options.network.ringPorts
        if let own, let gate { configuration.security = RingSecurity(keys: own, gate: gate) }
        ring = try Self.ring(configuration, context, mailbox)
        pool = try LanePool(lanes: options.threads)
        session = WorkerSession(deadlines: Deadlines(peerTimeout: Milliseconds(10_000)))
        hello = Self.hello(options, ring.endpoints, own?.publicKey)
        control = try ControlConnection(in: context, isApplication: own != nil)
        search = Search(for: options.coordinator) { mailbox.post(.search($0)) }
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

    static func hello(
        _ options: WorkerOptions, _ endpoints: PeerAddress, _ key: PublicKey?
    ) -> Hello {
        let probe = arithmeticProbe()
        return Hello(
            software: options.software, arithmetic: UInt32(ArithmeticVersion.current),
            address: endpoints,
            key: key?.bytes ?? [], processID: Int(getpid()), instance: .random(in: 1 ... .max),
            threads: options.threads,
            kernel: Instructions.chosen.rawValue,
            probe: probe)
    }

    // MARK: the loop

    /// Works until the run ends, the coordinator refuses, or none comes.
    package func run() throws -> WorkerOutcome {
        defer {
            ring.stop()
            pool.stop()
        }
        while outcome == nil {
            try reach()
            try waitForSomething()
            takeRequests()
            try takeMessagesUntilBroken()
            for arrival in mailbox.take() { take(arrival) }
            handle(.tick(progress))
            try reportLoneliness()
            try control.flush()
        }
        if outcome == .stopped { try control.flush(until: .now + .milliseconds(200)) }
        let moved = ring.progress
        report(.moved(bytes: moved.bytesSent, overTCP: moved.bytesSentOverTCP))
        report(.ended(outcome!))
        return outcome!
    }

    private func waitForSomething() throws(MessagingError) {
        var poller = Poller()
        control.join(&poller)
        poller.add(mailbox.wakeup)
        poller.add(descriptor: requests.descriptor, for: .readable)
        let tick = ContinuousClock.Instant.after(session.tickInterval)
        _ = try poller.wait(until: control.source == nil ? min(tick, nextAttempt) : tick)
    }

    /// Begins to connect, as soon as there is a way to the coordinator, and says hello.
    private func reach() throws {
        if control.isFutile {
            turn += 1
            control = try ControlConnection(in: context, isApplication: control.isApplication)
        }
        guard control.source == nil, .now >= nextAttempt else { return }
        do {
            guard let found = try search.addresses() else {
                // What is found wakes the loop.
                nextAttempt = .now + .seconds(60)
                return
            }
            try control.connect(to: options.coordinator, at: found, turn: turn, security())
            hindrance = nil
            if control.isApplication { register() } else { sayHello() }
        } catch let error as Hindrance {
            hindrance = error
            nextAttempt = .now + .milliseconds(300)
        }
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

    /// What came before the connection broke is taken first: it may be the run's end.
    func takeMessagesUntilBroken() throws(MessagingError) {
        let connection = control
        let broken = try connection.takeBreak()
        try takeMessages()
        guard connection === control, let broken else { return }
        switch broken {
        case .ended: handle(.disconnected)
        case .notShaken(let reason): turnedAway(reason)
        }
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
            setbacks = Setbacks()
            if control.isApplication {
                answered(bytes)
                continue
            }
            if LinkMessage.isOne(bytes) {
                takeLink(bytes)
                continue
            }
            do throws(WireError) {
                handle(.received(try CoordinatorMessage(decoding: bytes)))
            } catch .otherProtocol(let theirs, let ours) {
                outcome = .unfit(
                    reason: "the coordinator speaks protocol \(theirs), this worker \(ours)")
            } catch {
                search.hasDoubts()
                handle(.disconnected)
            }
        }
    }

    var progress: WorkProgress {
        let fold = ring.progress
        return WorkProgress(
            count: (runner?.progress.load(ordering: .relaxed) ?? 0) &+ fold.count,
            slice: fold.chunksKnown, slices: fold.chunks, waitingFor: fold.waitsFor.rawValue)
    }

    func handle(_ event: WorkerEvent) {
        for action in session.receive(event, at: Clock.now) where outcome == nil {
            perform(action)
        }
    }

    /// The system refuses what the run needs: says so to the coordinator as well.
    func refused(_ error: ResourceError) {
        failure = error
        control.post(WorkerMessage.leaving(reason: "\(error)").encoded)
    }

    private func reportLoneliness() throws {
        if let failure {
            try? control.flush(until: .now + .milliseconds(200))
            throw failure
        }
        guard session.phase == .joining else { return }
        if let way = control.way { try search.suspect(way.coordinator) }
        if let seconds = alone.report() {
            let hindrance = hindrance ?? (search.meetsSilence ? .silence : nil)
            report(.stillWaiting(coordinator: options.coordinator, seconds: seconds, hindrance))
        }
        guard alone.seconds < options.wait.seconds else {
            throw WorkerError.coordinatorNeverCame(
                options.coordinator, seconds: Int(options.wait.seconds))
        }
    }
}
