import Messaging
import Parameters
import Ring
import Wire

/// Frames that go over connections of the ring's own.
extension RingLoop {
    // MARK: Frames

    /// Takes whole frames that have come; false if there are none.
    func takeFromStreams() -> Bool {
        var moved = false
        // Not more in a row: what was made of them must go on.
        for _ in 0..<4 {
            guard takeFromPredecessor() else { break }
            moved = true
        }
        while takeFromSuccessor() { moved = true }
        return moved
    }

    private func takeFromPredecessor() -> Bool {
        guard let stream = inbound?.stream, !stream.isCut, stream.early == nil else {
            return false
        }
        do throws(StreamFailure) {
            guard let header = try stream.reader.next() else { return false }
            stream.isUsed = true
            progress.framesReceived += 1
            progress.bytesReceived += header.frameBytes
            numbersAtHand = stream.reader.numbers
            isInPayload = false
            judge(header)
        } catch {
            if case .ended = error, !stream.isUsed {
                // The predecessor has given it up before this worker let it in.
                dropUnusedStream()
            } else {
                cut(stream, .predecessor, error)
            }
        }
        return true
    }

    private func takeFromSuccessor() -> Bool {
        guard let stream = link?.stream, !stream.isCut else { return false }
        do throws(StreamFailure) {
            guard let header = try stream.reader.next() else { return false }
            credited(header)
        } catch {
            cut(stream, .successor, error)
        }
        return true
    }

    /// Judges the frame again that was early, now that another step has begun or ended.
    func releaseEarly() {
        guard let stream = inbound?.stream, let header = stream.early else { return }
        stream.early = nil
        numbersAtHand = stream.reader.numbers
        isInPayload = false
        judge(header)
    }

    /// Hands to the kernel what waits; false if it takes nothing.
    func flushStreams() -> Bool {
        var moved = flush(link?.stream, .successor)
        if flush(inbound?.stream, .predecessor) { moved = true }
        if unread != nil { reportFolded() }
        return moved
    }

    private func flush(_ stream: RingStream?, _ neighbour: Neighbour) -> Bool {
        guard let stream, !stream.isCut, !stream.writer.isEmpty else { return false }
        do throws(MessagingError) {
            return try stream.writer.flush()
        } catch {
            cut(stream, neighbour, .ended(error))
            return false
        }
    }

    /// Queues a frame with numbers that stay where they lie until the step is reported.
    func queue(_ carry: Carry, on stream: RingStream) {
        var carry = carry
        var numbers = carry.numbers
        if numbers == nil, let room = stream.writer.room(carry.header.payloadBytes) {
            carry.write(into: room)
            numbers = UnsafeRawBufferPointer(room)
        }
        // Credits keep the queue from being full.
        guard let numbers, stream.writer.put(carry.header, numbers) else {
            return breakUp(.lost(.successor))
        }
        progress.framesSent += 1
        progress.bytesSent += carry.header.frameBytes
    }

    // MARK: Streams that come

    /// Lets the predecessor's stream in.
    ///
    /// - Returns: where it is expected; nothing if there can be none.
    func openDoor() -> [UInt8] {
        guard configuration.streams, let inbound, inbound.stream == nil else { return [] }
        // A key stands for a connection that is encrypted.
        let isSealed: Bool
        switch inbound.proof {
        case .key: isSealed = true
        case .sameUser, .none: isSealed = false
        case .relayed: return []
        }
        if inbound.door == nil {
            self.inbound?.door = try? StreamDoor(
                beside: inbound.connection, isSealed: isSealed, ports: configuration.ports)
            rebuildPoller()
        }
        return self.inbound?.door.map {
            [StreamDoor.mark(isSealed: isSealed)] + $0.invitation
        } ?? []
    }

    /// Lets go of a stream or a door that the predecessor does not use.
    func dropUnusedStream() {
        guard inbound?.door != nil || inbound?.stream != nil else { return }
        inbound?.door = nil
        inbound?.stream = nil
        rebuildPoller()
    }

    func mayStream(_ link: RingLink) -> Bool {
        configuration.streams && link.target == nil && !failedStreams.contains(link.endpoint)
    }

    /// Begins to connect to where the successor expects the stream.
    func enterDoor(_ invitation: [UInt8], _ link: RingLink) {
        guard mayStream(link), let membership else { return }
        guard invitation.first == StreamDoor.mark(isSealed: link.isSealed) else {
            return notify(.fellBack(from: .stream, reason: "the next worker opens none"))
        }
        do {
            let now = ContinuousClock.now
            let left = now.duration(to: membership.deadline)
            link.entrance = try StreamEntrance(
                Array(invitation.dropFirst()), link.place, isSealed: link.isSealed,
                deadline: now + min(left / 2, configuration.streamTimeout))
            rebuildPoller()
            tendStreams()
        } catch {
            link.streamFailed = true
            notify(.fellBack(from: .stream, reason: plainWords(error)))
        }
    }

    /// Goes on with streams that are being made.
    func tendStreams() {
        if let link, let entrance = link.entrance { pass(entrance, link) }
        guard let door = inbound?.door else { return }
        guard let (guest, changed) = try? door.answer() else { return }
        if let guest {
            inbound?.stream = RingStream(guest.stream, guest.seals, configuration)
            inbound?.door = nil
        }
        if changed { rebuildPoller() }
    }

    private func pass(_ entrance: StreamEntrance, _ link: RingLink) {
        do throws(MessagingError) {
            let events = entrance.events
            guard try entrance.pass() else {
                guard ContinuousClock.now < entrance.deadline else {
                    let call = entrance.hasGreeted ? "confirming a stream" : "connect"
                    throw .system(call: call, code: MessagingError.timedOut)
                }
                if events != entrance.events { rebuildPoller() }
                return
            }
            link.stream = RingStream(entrance.stream, entrance.seals, configuration)
        } catch {
            link.streamFailed = true
            notify(.fellBack(from: .stream, reason: plainWords(error)))
        }
        link.entrance = nil
        rebuildPoller()
        completeFormation()
    }

    // MARK: Streams that end

    private func cut(_ stream: RingStream, _ neighbour: Neighbour, _ failure: StreamFailure) {
        stream.isCut = true
        switch failure {
        case .ended: breakUp(.lost(neighbour))
        case .altered: breakUp(.violation(neighbour, .altered))
        case .frame(let error): breakUp(.violation(neighbour, .frame(error)))
        }
    }

    /// Lets go of whatever waits; neighbours are not told, they find out by themselves.
    func cutStreams() {
        for case let stream? in [link?.stream, inbound?.stream] {
            stream.isCut = true
            stream.early = nil
            stream.writer.clear()
        }
        rebuildPoller()
    }

    // MARK: Waiting

    func joinStreams() {
        for case let stream? in [link?.stream, inbound?.stream] where !stream.isCut {
            stream.join(&poller)
        }
        if let entrance = link?.entrance {
            poller.add(descriptor: entrance.stream.descriptor, for: entrance.events)
        }
        inbound?.door?.join(&poller)
    }

    /// Tells the poller what streams wait for.
    func awaitStreams() {
        // Not a loop over both: that would ask for memory each time.
        if let stream = link?.stream { announce(stream) }
        if let stream = inbound?.stream { announce(stream) }
    }

    private func announce(_ stream: RingStream) {
        guard !stream.isCut, let place = stream.place else { return }
        poller.change(place, to: stream.events)
    }

    /// A stream that is not read shows its end only as a failure.
    func dropFailedStreams() {
        guard let stream = inbound?.stream, !stream.isCut, stream.early != nil,
            let place = stream.place, poller.events(at: place).contains(.failed)
        else { return }
        stream.isCut = true
        breakUp(.lost(.predecessor))
    }
}
