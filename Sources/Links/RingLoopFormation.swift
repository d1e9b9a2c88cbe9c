import Glibc
import Messaging
import Parameters
import Ring
import Settings
import Wire

/// Joining the neighbours of a generation, and noticing when they go.
extension RingLoop {
    func form(_ value: RingMembership) {
        let now = ContinuousClock.now
        publish()
        step = nil
        unread = nil
        waitingStep = nil
        link = nil
        inbound = nil
        clearHeld()
        guests.replace(with: predecessor(value))
        failedStreams.nextGeneration()
        neighbourVectors.nextGeneration(of: value.boards)
        membership = Membership(
            value: value, fingerprint: fingerprint(value),
            deadline: now + (value.patience ?? configuration.formationTimeout), nextGreeting: now)
        folds = FoldSeries(
            run: value.run, generation: value.generation, window: configuration.credits,
            wire: value.wire, seed: value.seed)
        defer { rebuildPoller() }
        inbox = nil
        guard value.workers > 1 else { return completeFormation() }
        do throws(MessagingError) {
            try openInbox(value)
            guard try connect(value) else { return breakUp(.unreachable(value.transport)) }
        } catch {
            return breakUp(.socket(error))
        }
        if let greeting = earlyGreeting { consider(greeting) }
    }

    /// Begins to connect to the successor; false if it has no endpoint of the transport.
    func connect(_ value: RingMembership) throws(MessagingError) -> Bool {
        let transport = value.keys?.encryptsAll == true ? .tcp : value.transport
        guard let successor = value.successor,
            let endpoint = successor.endpoint(transport, from: host)
        else { return false }
        guard let security = security(value, endpoint) else {
            throw .system(call: "encrypting for a successor without a key", code: ENOKEY)
        }
        link = try RingLink(
            context, configuration, endpoint: endpoint, identity: identity(value),
            heartbeat: value.heartbeat, security: security,
            relay: mailbox.relay.withLock { $0 })
        link?.lane = lane(to: successor, transport, endpoint)
        return true
    }

    /// Memory to share with the successor; nil if it is not to be shared or can't be.
    private func lane(
        to successor: PeerAddress, _ transport: Transport, _ endpoint: String
    ) -> OutgoingLane? {
        guard transport == .auto || transport == .shared, successor.host == host,
            endpoint == successor.ipc
        else { return nil }
        do throws(MessagingError) {
            guard let memory = try mailbox.memory.withLock({ $0 }).get() else { return nil }
            return try OutgoingLane(numbers: memory, slots: configuration.laneSlots)
        } catch {
            notify(.fellBack(from: .memory, reason: plainWords(error)))
            return nil
        }
    }

    /// A name for the connection: another for each generation and attempt.
    private func identity(_ value: RingMembership) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(UInt8(1))
        writer.put(value.run)
        writer.put(value.generation.epoch)
        writer.put(value.generation.counter)
        writer.put(UInt32(value.rank))
        writer.put(UInt32.random(in: 0 ... .max))
        return writer.bytes
    }

    /// Returns a hash of all that neighbours must agree on before a sum can come out right.
    private func fingerprint(_ value: RingMembership) -> UInt64 {
        var writer = ByteWriter()
        writer.put(value.collective.rawValue)
        writer.put(value.wire.rawValue)
        writer.put(value.seed)
        writer.put(UInt64(configuration.chunkElements(value)))
        writer.put(UInt64(configuration.credits))
        writer.put(UInt8(value.sumsInPlace ? 1 : 0))
        writer.put(value.shardBounds.map(Int32.init))
        return writer.bytes.withUnsafeBytes { FastDigest(block: $0).low }
    }

    func completeFormation() {
        guard let membership, !membership.formed, !membership.broken else { return }
        let alone = membership.value.workers == 1
        guard alone || (inbound != nil && link?.answered == true && link?.entrance == nil) else {
            return
        }
        self.membership?.formed = true
        publish()
        notify(.formed(membership.value.generation))
        if let waitingStep { start(waitingStep) }
    }

    /// Greets the successor again and again until it answers, and gives up at the deadline.
    func keepForming() {
        guard let membership, !membership.formed, !membership.broken else { return }
        let now = ContinuousClock.now
        guard now < membership.deadline else {
            let missing: [Neighbour] =
                (inbound == nil ? [.predecessor] : [])
                + (link?.answered == true ? [] : [.successor])
            if let failure = link?.failure { return breakUp(.refused(.successor, failure)) }
            return breakUp(.formation(missing: missing))
        }
        guard now >= membership.nextGreeting else { return }
        self.membership?.nextGreeting = now + .milliseconds(200)
        tryAgain(membership.value)
        greet()
    }

    private func greet() {
        guard let membership, let link, !link.answered else { return }
        let greeting = FrameHeader(
            run: membership.value.run, generation: membership.value.generation, step: 0,
            body: .greeting(rank: membership.value.rank, plan: membership.fingerprint))
        let offer: RingOffer? =
            if let lane = link.lane { .memory(lane.offer(bell)) } else {
                mayStream(link) ? .stream : nil
            }
        // Unsent while there is no connection; `ready` from the monitor tries again.
        _ = try? link.send(greeting.sealed(attaching: offer?.bytes ?? []))
    }

    // MARK: What neighbours say

    /// A greeting came in: of this generation, of one to come, or of one gone by.
    func greeted(
        _ greeting: FrameHeader, identity: [UInt8], connection: Int32, proof: Proof, offer: [UInt8]
    ) {
        // The events of an earlier connection with this descriptor must be out of the way.
        do throws(MessagingError) {
            try watchPredecessor()
        } catch {
            return breakUp(.socket(error))
        }
        consider(
            RingInbound(
                identity: identity, connection: connection, greeting: greeting, proof: proof,
                offer: offer))
    }

    private func consider(_ candidate: RingInbound) {
        let greeting = candidate.greeting
        if membership == nil || greeting.generation > membership!.value.generation {
            if greeting.generation >= earlyGreeting?.greeting.generation ?? greeting.generation {
                earlyGreeting = candidate
            }
            return
        }
        guard let membership, !membership.broken else { return }
        guard greeting.run == membership.value.run else { return count(.otherRun) }
        guard greeting.generation == membership.value.generation else {
            return count(.otherGeneration)
        }
        guard isPredecessor(candidate, membership.value),
            case .greeting(membership.value.predecessorRank, let plan) = greeting.body
        else {
            return count(.foreign)
        }
        guard plan == membership.fingerprint else { return breakUp(.disagreement(.predecessor)) }
        let acceptance = accept(candidate)
        earlyGreeting = nil
        let answer = FrameHeader(
            run: greeting.run, generation: greeting.generation, step: 0,
            body: .answer(rank: membership.value.rank, plan: membership.fingerprint))
        do throws(MessagingError) {
            try reply(answer.sealed(attaching: acceptance), to: candidate)
        } catch {
            // It went again; if it comes back it greets again.
            inbound = nil
            return
        }
        completeFormation()
    }

    /// Takes the predecessor, with what it had before if this is a repeated greeting.
    ///
    /// - Returns: what to tell it about what it would have.
    private func accept(_ candidate: RingInbound) -> [UInt8] {
        if inbound?.identity != candidate.identity { inbound = candidate }
        switch RingOffer(candidate.offer) {
        // Over tcp it would be what some other host says of this one's processes.
        case .memory(let handles) where candidate.proof == .sameUser: return map(handles)
        case .memory: return IncomingLane.refusal("memory was offered from another host")
        case .stream: return openDoor()
        case nil: return []
        }
    }

    private func map(_ handles: [UInt8]) -> [UInt8] {
        if inbound?.lane != nil { return IncomingLane.acceptance(bell) }
        do {
            inbound?.lane = try IncomingLane(offer: handles, slots: configuration.laneSlots)
            return IncomingLane.acceptance(bell)
        } catch {
            return IncomingLane.refusal(plainWords(error))
        }
    }

    func answered(_ answer: FrameHeader, acceptance: [UInt8]) {
        guard let membership, !membership.broken, let link else { return }
        guard answer.run == membership.value.run else { return count(.otherRun) }
        guard answer.generation == membership.value.generation else {
            return count(.otherGeneration)
        }
        guard case .answer(membership.value.successorRank, let plan) = answer.body else {
            return count(.foreign)
        }
        guard plan == membership.fingerprint else { return breakUp(.disagreement(.successor)) }
        if let lane = link.lane, !lane.isOpen, let reason = lane.open(acceptance) {
            link.lane = nil
            link.memoryRefused = true
            notify(.fellBack(from: .memory, reason: reason))
            // A stream is the next best.
            if mayStream(link) { return greet() }
        } else if link.lane == nil, !link.answered {
            // Greetings are repeated: it may be the first one's answer once more.
            if link.memoryRefused, IncomingLane.isRefusal(acceptance) { return }
            enterDoor(acceptance, link)
        }
        link.answered = true
        completeFormation()
    }

    // MARK: The end of a generation

    /// The generation is of no use any more.
    func breakUp(_ reason: RingBreak) {
        folds = nil
        step = nil
        unread = nil
        waitingStep = nil
        guard let generation = membership?.value.generation, membership?.broken == false else {
            return
        }
        membership?.broken = true
        clearHeld()
        cutStreams()
        publish()
        notify(.broken(generation, reason))
    }

    // MARK: Connections that end

    func watchConnections() throws(MessagingError) {
        try watchPredecessor()
        try watchInbox()
        try watchSuccessor()
    }

    private func watchPredecessor() throws(MessagingError) {
        while let event = try routerMonitor.receive() {
            let host = unproven.onlyHost ?? ""
            if let reason = unproven.note(event) { turnedAway(reason, host) }
            guard event.kind == .disconnected else { continue }
            if event.descriptor == earlyGreeting?.connection { earlyGreeting = nil }
            if event.descriptor == inbound?.connection {
                inbound = nil
                breakUp(.lost(.predecessor))
            }
        }
    }

    private func watchSuccessor() throws(MessagingError) {
        while let link, let event = try link.monitor.receive() {
            switch event.kind {
            case .connected where !isOwnUsers(link, event.descriptor):
                breakUp(.refused(.successor, nil))
            case .connected: link.connection = event.descriptor
            case .ready: greet()
            case .handshakeFailed(let reason): link.failure = reason
            case .disconnected where link.answered: breakUp(.lost(.successor))
            default: break
            }
        }
    }
}
