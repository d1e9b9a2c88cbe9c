import Glibc
import Messaging
import Parameters
import Ring
import Threads
import Wire

/// The ring thread's own state: made, used and dropped on that thread.
final class RingLoop {
    /// A generation that this worker is a member of.
    struct Membership {
        let value: RingMembership
        let fingerprint: UInt64
        let deadline: ContinuousClock.Instant
        var nextGreeting: ContinuousClock.Instant
        var formed = false
        var broken = false
    }

    /// A step whose fold is under way.
    struct Step {
        let input: RingStep
        /// The moment at which the first chunk was looked at.
        var startedAt: ContinuousClock.Instant?
        let processorAtStart: Double
        /// Processor seconds that the frames' checksums took.
        var checkingSeconds = 0.0
    }

    /// A frame that came before the step that it belongs to.
    enum Held {
        case frame(Message)
        case memory(FrameHeader)
    }

    let context: Context
    let configuration: RingConfiguration
    let mailbox: RingThread.Mailbox
    let notify: @Sendable (RingEvent) -> Void
    let host = HostIdentity.current()
    let endpoints: PeerAddress

    let router: RouterSocket
    let routerMonitor: SocketMonitor
    /// The predecessor of the generation: none else may connect over tcp. It may come a little
    /// before this worker has heard of it.
    let guests = GuestList(patience: .seconds(2))
    private let door: Gate.Door?
    var unproven = Connections()
    var poller = Poller()
    private var wakeupPlace: Poller.Place
    private var bellPlace: Poller.Place
    /// Rung by neighbours that share memory.
    let bell: Bell
    var link: RingLink?
    var inbound: RingInbound?
    var failedStreams = FailedStreams()
    /// The memory in which this worker says where its gradients lie; nil if none can be shared.
    let board: VectorBoard?
    var neighbourVectors = NeighbourVectors()
    /// The connection by which frames come in through the coordinator.
    var inbox: RelayInbox?
    /// The newest greeting of a generation that this worker is not in yet.
    var earlyGreeting: RingInbound?

    var membership: Membership?
    /// The generation's folds; nil if there is none, or it is broken.
    var folds: FoldSeries?
    var step: Step?
    /// Begun before the generation was formed.
    var waitingStep: RingStep?
    /// The event that waits until the successor has read the total: until then that is not free.
    var unread: RingEvent?
    var progress = RingProgress()
    /// Bytes sent whose way has been noted.
    var bytesNoted = 0
    var drops = [Int](repeating: 0, count: DropReason.allCases.count)
    var stopping = false

    // Frames that are used again and again.
    let sender = Message()
    let payload = Message()
    let outgoing = Message()
    var held: [Held] = []
    var spare: [Message] = []
    /// The numbers behind the header of the frame at hand.
    var numbersAtHand = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// Whether those are in `payload`, and have been checked.
    var isInPayload = false
    let signal = UnsafeMutableRawBufferPointer.allocate(
        byteCount: FrameHeader.byteCount, alignment: 64)
    private var turnsWithoutSockets = 0

    init(
        context: Context, configuration: RingConfiguration, mailbox: RingThread.Mailbox,
        notify: @escaping @Sendable (RingEvent) -> Void
    ) throws(MessagingError) {
        self.context = context
        self.configuration = configuration
        self.mailbox = mailbox
        self.notify = notify
        var options = configuration.socketOptions
        options.ipv6 = configuration.addresses.contains { $0.family == .v6 }
        let router = try RouterSocket(context, options)
        let routerMonitor = try SocketMonitor(router)
        let name = UInt64.random(in: 0 ... .max)
        // An abstract name: nothing is left behind, however the process ends. Who connects is known
        // by the kernel; only what is bound behind it is encrypted.
        let ipc = try router.bind("ipc://@dtrain-ring-\(getpid())-\(String(name, radix: 36))")
        if let security = configuration.security {
            let door = security.gate.open(for: guests)
            try router.secure(.server(security.keys, door))
            self.door = door
        } else {
            door = nil
        }
        let port = try router.bind(configuration.addresses, ports: configuration.ports)
        board = try? VectorBoard()
        endpoints = PeerAddress(
            host: host, ipc: ipc,
            tcp: "tcp://\(configuration.addresses[0].inEndpoint):\(port)", board: board?.handle)
        bell = try Bell()
        self.router = router
        self.routerMonitor = routerMonitor
        wakeupPlace = poller.add(mailbox.wakeup)
        bellPlace = wakeupPlace
        rebuildPoller()
    }

    deinit {
        if let door { configuration.security?.gate.close(door) }
        signal.deallocate()
    }

    func rebuildPoller() {
        poller.removeAll()
        wakeupPlace = poller.add(mailbox.wakeup)
        bellPlace = poller.add(descriptor: bell.descriptor, for: .readable)
        poller.add(router, for: .readable)
        poller.add(routerMonitor)
        joinStreams()
        if let inbox {
            poller.add(inbox.socket, for: .readable)
            poller.add(inbox.monitor)
        }
        guard let link else { return }
        poller.add(link.socket, for: .readable)
        poller.add(link.monitor)
    }

    // MARK: The loop

    func run() {
        while true {
            obeyCommands()
            if stopping { return }
            do throws(MessagingError) {
                if try turn() { continue }
                if lanesStir() { continue }
                try watchConnections()
                tendStreams()
                keepForming()
                publish()
                try sleep()
            } catch {
                breakUp(.socket(error))
                // A socket that fails for good would make this loop spin.
                usleep(10_000)
            }
        }
    }

    /// Moves frames and chunks while there are any; false when there is nothing to do but wait.
    private func turn() throws(MessagingError) -> Bool {
        var moved = try takeFromLanes()
        if takeFromStreams() { moved = true }
        if try advance() { moved = true }
        if flushStreams() { moved = true }
        turnsWithoutSockets += 1
        // Looking at a socket is a call to the kernel: not at every turn that memory keeps going.
        guard !moved || turnsWithoutSockets >= socketsEvery else { return true }
        turnsWithoutSockets = 0
        for _ in 0..<4 {
            guard try receiveFromPredecessor() else { break }
            moved = true
        }
        if try receiveFromSuccessor() { moved = true }
        if try advance() { moved = true }
        return moved
    }

    /// Waits a moment for neighbours that share memory; false if they have put nothing.
    ///
    /// The next chunk is usually due sooner than the kernel could wake this thread for it. Only
    /// when own gradients are complete: before, the processor has better things to do.
    private func lanesStir() -> Bool {
        guard step?.input.ready == 0 || unread != nil, hasNeighboursNear else { return false }
        let end = ContinuousClock.now + .microseconds(100)
        repeat {
            if inbound?.lane?.forward.isEmpty == false { return true }
            if link?.lane?.backward.isEmpty == false { return true }
            if takeFromStreams() || flushStreams() { return true }
            // Whoever is to put something may need this very processor.
            sched_yield()
        } while ContinuousClock.now < end
        return false
    }

    private var socketsEvery: Int {
        hasNeighboursNear ? 16 : 1
    }

    /// Whether sums come or go over something else than ZeroMQ's sockets.
    private var hasNeighboursNear: Bool {
        inbound?.lane != nil || inbound?.stream != nil || sendsByLane || link?.stream != nil
    }

    private var sendsByLane: Bool { link?.lane?.isOpen == true }

    /// Waits for sockets, callers and neighbours that share memory.
    private func sleep() throws(MessagingError) {
        inbound?.lane?.forward.fallAsleep()
        link?.lane?.backward.fallAsleep()
        let nothing =
            inbound?.lane?.forward.isEmpty != false && link?.lane?.backward.isEmpty != false
        if nothing {
            awaitStreams()
            _ = try poller.wait(until: wakeAt)
            dropFailedStreams()
        }
        inbound?.lane?.forward.wakeUp()
        link?.lane?.backward.wakeUp()
        guard nothing else { return }
        if poller.events(at: wakeupPlace) != [] { mailbox.wakeup.drain() }
        if poller.events(at: bellPlace) != [] { bell.drain() }
    }

    /// Idle, the thread sleeps until a socket or a caller wakes it.
    private var wakeAt: ContinuousClock.Instant {
        guard let membership, !membership.formed, !membership.broken else {
            return .now + .seconds(3600)
        }
        let entrance = link?.entrance?.deadline ?? membership.deadline
        return min(membership.nextGreeting, membership.deadline, entrance)
    }

    private func obeyCommands() {
        guard mailbox.pending.load(ordering: .acquiring) else { return }
        mailbox.pending.store(false, ordering: .releasing)
        let commands = mailbox.commands.withLock { commands in
            defer { commands.removeAll(keepingCapacity: true) }
            return commands
        }
        for command in commands {
            switch command {
            case .form(let membership): form(membership)
            case .begin(let input): begin(input)
            case .abandon: abandon()
            case .stop: stopping = true
            }
        }
    }
}
