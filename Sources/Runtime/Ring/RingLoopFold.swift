import Messaging
import Parameters
import Ring
import Wire

/// Frames in, sums out.
extension RingLoop {
    /// Takes one message from the inbound socket; false if there is none.
    func receiveFromPredecessor() throws(MessagingError) -> Bool {
        do throws(MessagingError) {
            guard try router.receive(identity: sender, payload: payload) else { return false }
        } catch .tooManyFrames, .tooFewFrames, .tooManyBytes {
            count(.foreign)
            return true
        }
        let isPredecessor = inbound.map { isSender($0.identity) } ?? false
        do throws(FrameError) {
            let header = try payload.withBytes { bytes throws(FrameError) in
                try FrameHeader(bytes)
            }
            if case .greeting = header.body {
                greeted(header, identity: sender.bytes, connection: payload.connection)
            } else if isPredecessor {
                progress.framesReceived += 1
                progress.bytesReceived += payload.count
                judge(header)
            } else {
                count(
                    header.generation == membership?.value.generation ? .foreign : .otherGeneration)
            }
        } catch {
            guard isPredecessor else {
                count(.foreign)
                return true
            }
            breakUp(.violation(.predecessor, .frame(error)))
        }
        return true
    }

    private func isSender(_ identity: [UInt8]) -> Bool {
        sender.withBytes { $0.elementsEqual(identity) }
    }

    /// Gives a frame of the predecessor to the fold, or keeps it for a later one.
    private func judge(_ header: FrameHeader) {
        guard let membership, !membership.broken else { return count(.otherGeneration) }
        guard step != nil else {
            guard header.run == membership.value.run else { return count(.otherRun) }
            guard header.generation == membership.value.generation else {
                return count(.otherGeneration)
            }
            guard header.step > lastStep else { return count(.staleStep) }
            return hold(header)
        }
        switch step!.fold.receive(header, from: .predecessor) {
        case .act(let action): obey(action)
        case .noted: break
        case .early: hold(header)
        case .drop(let reason): count(reason)
        case .broken(let violation): breakUp(.violation(.predecessor, violation))
        }
    }

    /// Takes all credits and answers of the successor.
    func receiveFromSuccessor() throws(MessagingError) -> Bool {
        var moved = false
        while let link, try receive(from: link) {
            moved = true
            let header: FrameHeader
            do throws(FrameError) {
                header = try payload.withBytes { bytes throws(FrameError) in
                    try FrameHeader(bytes)
                }
            } catch {
                breakUp(.violation(.successor, .frame(error)))
                return true
            }
            if case .answer = header.body {
                answered(header)
                continue
            }
            progress.creditsReceived += 1
            // With no fold under way it is the last step's, which needs no credit any more.
            guard step != nil else { continue }
            switch step!.fold.receive(header, from: .successor) {
            case .noted, .act, .early: break
            case .drop(let reason): count(reason)
            case .broken(let violation): breakUp(.violation(.successor, violation))
            }
        }
        return moved
    }

    private func receive(from link: RingLink) throws(MessagingError) -> Bool {
        do throws(MessagingError) {
            return try link.socket.receive(payload: payload)
        } catch .tooManyFrames, .tooFewFrames, .tooManyBytes {
            count(.foreign)
            return true
        }
    }

    // MARK: Frames of a step to come

    private func hold(_ header: FrameHeader) {
        // Credits allow a neighbour no more than this before the step begins here.
        guard held.count < 2 * configuration.credits else {
            return breakUp(.violation(.predecessor, .tooFarAhead(step: header.step)))
        }
        let message = spare.popLast() ?? Message()
        message.take(payload)
        held.append(message)
    }

    /// Judges what was held again, now that another step has begun or ended.
    func releaseHeld() {
        let frames = held
        held.removeAll(keepingCapacity: true)
        for frame in frames {
            payload.take(frame)
            spare.append(frame)
            // Its checksum was right when it came.
            guard
                let header = try? payload.withBytes({ bytes throws(FrameError) in
                    try FrameHeader(bytes)
                })
            else { continue }
            judge(header)
        }
    }

    func clearHeld() {
        for frame in held { frame.clear() }
        spare += held
        held.removeAll(keepingCapacity: true)
    }

    // MARK: Actions

    /// Obeys what the fold wants without a frame; false if it wants nothing.
    func advance() throws(MessagingError) -> Bool {
        guard step != nil else { return false }
        step!.fold.localReady(downTo: step!.input.ready)
        var moved = false
        // Not more in a row: what neighbours sent is waiting too.
        for _ in 0..<4 {
            guard step != nil, let action = step!.fold.next() else { break }
            moved = true
            obey(action)
        }
        return moved
    }

    private func obey(_ action: FoldAction) {
        do throws(MessagingError) {
            try perform(action)
        } catch {
            breakUp(.socket(error))
        }
    }

    private func perform(_ action: FoldAction) throws(MessagingError) {
        if step!.startedAt == nil { step!.startedAt = .now }
        let plan = step!.fold.plan
        switch action {
        case .park(let chunk):
            payload.withBytes { step!.numbers.park($0, plan.elements(ofChunk: chunk)) }
        case .passOn(let chunk, let base):
            let range = plan.elements(ofChunk: chunk)
            let header = step!.fold.partialHeader(chunk: chunk)
            // The sum is made where the frame lies, and that frame goes on.
            let frame = base == .frame ? payload : try allocate(header)
            frame.withMutableBytes {
                step!.numbers.add(range, onto: base, in: $0)
                header.seal($0)
            }
            try send(frame)
        case .finish(let chunk, let base, let forward):
            let range = plan.elements(ofChunk: chunk)
            payload.withBytes {
                step!.numbers.finish(range, onto: base, frame: base == .frame ? $0 : nil)
            }
            if forward { try sendTotal(chunk, in: base == .frame ? payload : nil) }
        case .store(let chunk, let forward):
            payload.withBytes { step!.numbers.store($0, plan.elements(ofChunk: chunk)) }
            if forward { try send(payload) }
        case .forward(let chunk):
            try sendTotal(chunk, in: nil)
        case .grant(let partials, let totals):
            try grant(step!.fold.creditHeader(partials: partials, totals: totals))
        case .complete:
            complete()
        }
    }

    private func allocate(_ header: FrameHeader) throws(MessagingError) -> Message {
        try outgoing.allocate(header.frameBytes)
        return outgoing
    }

    private func sendTotal(_ chunk: Int, in frame: Message?) throws(MessagingError) {
        let header = step!.fold.totalHeader(chunk: chunk)
        let range = step!.fold.plan.elements(ofChunk: chunk)
        let frame = if let frame { frame } else { try allocate(header) }
        frame.withMutableBytes {
            step!.numbers.copy(range, into: $0)
            header.seal($0)
        }
        try send(frame)
    }

    private func send(_ frame: Message) throws(MessagingError) {
        let size = frame.count
        guard let link, try link.socket.send(frame) else {
            // Credits keep the queue from being full, so nobody is there.
            return breakUp(.lost(.successor))
        }
        progress.framesSent += 1
        progress.bytesSent += size
    }

    private func grant(_ header: FrameHeader) throws(MessagingError) {
        guard let inbound else { return }
        let frame = try allocate(header)
        frame.withMutableBytes { header.seal($0) }
        do throws(MessagingError) {
            try router.send(to: inbound.identity, frame)
            progress.creditsSent += 1
        } catch .unknownPeer, .wouldBlock {
            breakUp(.lost(.predecessor))
        }
    }

    private func complete() {
        guard let done = step else { return }
        let now = ContinuousClock.now
        step = nil
        lastStep = done.input.step
        let timings = RingTimings(
            waitSeconds: done.input.completedAt.map { $0.duration(to: now).seconds } ?? 0,
            foldSeconds: done.startedAt.map { $0.duration(to: now).seconds } ?? 0,
            processorSeconds: processorSeconds() - done.processorAtStart)
        progress.chunksKnown = done.fold.plan.chunks
        publish()
        notify(.folded(step: done.input.step, digest: done.numbers.digest(), timings: timings))
    }
}
