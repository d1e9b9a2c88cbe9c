import Messaging
import Parameters
import Ring

/// Carries out the fold's orders about numbers.
extension RingLoop {
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

    func obey(_ action: FoldAction, _ header: FrameHeader? = nil) {
        do throws(MessagingError) {
            try perform(action, header)
        } catch {
            breakUp(.socket(error))
        }
    }

    /// - Parameter header: of the frame at hand, if the action is about one.
    private func perform(_ action: FoldAction, _ header: FrameHeader?) throws(MessagingError) {
        if step!.startedAt == nil { step!.startedAt = .now }
        switch action {
        case .park(let chunk): park(chunk, header!)
        case .passOn(let chunk, _) where step!.fold.plan.isInPlace:
            put(step!.fold.partialHeader(chunk: chunk))
        case .passOn(let chunk, let base): try passOn(chunk, base, header)
        case .finish(let chunk, _, let forward) where step!.fold.plan.isInPlace:
            try sumInPlace(chunk, forward: forward)
        case .finish(let chunk, let base, let forward):
            guard let operand = operand(chunk, base, header) else { return }
            let range = step!.fold.plan.elements(ofChunk: chunk)
            guard let digest = step!.numbers.finish(range, onto: operand.value) else {
                return breakUp(.violation(.predecessor, .frame(.checksum)))
            }
            step!.digests[chunk] = digest
            if forward { try sendTotal(chunk, in: reusable(base, header)) }
        case .store(let chunk, let forward) where step!.fold.plan.isInPlace:
            try takeInPlace(chunk, header!, forward: forward)
        case .store(let chunk, let forward):
            guard let operand = operand(chunk, .frame, header)?.value else { return }
            let range = step!.fold.plan.elements(ofChunk: chunk)
            guard let digest = step!.numbers.store(operand, range) else {
                return breakUp(.violation(.predecessor, .frame(.checksum)))
            }
            step!.digests[chunk] = digest
            if forward { try sendTotal(chunk, in: reusable(.frame, header)) }
        case .forward(let chunk): try sendTotal(chunk, in: nil)
        case .grant(let partials, let totals):
            try grant(step!.fold.creditHeader(partials: partials, totals: totals))
        case .complete: complete()
        }
    }

    /// A partial that can't be added to yet: what came in a frame moves to where its total will
    /// land, what lies in the predecessor's memory stays there.
    private func park(_ chunk: Int, _ header: FrameHeader) {
        switch header.place {
        case .gradients: return
        case .memory:
            step!.digests[chunk] = header.digest
            return
        case .frame: break
        }
        let range = step!.fold.plan.elements(ofChunk: chunk)
        guard let operand = operand(chunk, .frame, header)?.value else { return }
        guard step!.numbers.park(operand, range) else {
            return breakUp(.violation(.predecessor, .frame(.checksum)))
        }
    }

    private func passOn(
        _ chunk: Int, _ base: FoldAction.Base, _ frame: FrameHeader?
    ) throws(MessagingError) {
        guard let operand = operand(chunk, base, frame) else { return }
        let range = step!.fold.plan.elements(ofChunk: chunk)
        var header = step!.fold.partialHeader(chunk: chunk)
        if step!.usesLane { header.place = .memory } else { header.format = wire }
        if !step!.usesLane, let stream = link?.stream {
            return passOn(range, onto: operand.value, header, stream)
        }
        // The sum is made where it will be read, or where the frame lies that goes on.
        let message = step!.usesLane ? nil : try message(for: header, reusable(base, frame))
        let place = step!.numbers.place(of: range)
        var target = place
        if wire == .f32, let message { target = Self.numbers(message) }
        guard let digest = step!.numbers.add(range, onto: operand.value, into: target) else {
            return breakUp(.violation(.predecessor, .frame(.checksum)))
        }
        header.digest = digest
        guard let message else { return put(header) }
        if wire == .f32 {
            header.sealHeader(message.buffer)
        } else {
            wire.encode(UnsafeRawBufferPointer(place), into: Self.numbers(message))
            header.seal(message.buffer)
        }
        try send(message)
    }

    /// The format of numbers in frames.
    var wire: WireFormat { membership?.value.wire ?? .f32 }

    static func numbers(_ message: Message) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: message.buffer[FrameHeader.byteCount...])
    }

    /// The frame at hand, if its numbers are behind its header.
    private func reusable(_ base: FoldAction.Base, _ header: FrameHeader?) -> Message? {
        base == .frame && header?.place == .frame && isInPayload ? payload : nil
    }

    /// Returns the numbers that own gradients are added to; nil, and the generation is broken, if
    /// they are not there.
    private func operand(
        _ chunk: Int, _ base: FoldAction.Base, _ header: FrameHeader?
    ) -> (value: ChunkOperand?, Void)? {
        let range = step!.fold.plan.elements(ofChunk: chunk)
        let expected: FastDigest
        switch base {
        case .nothing: return (nil, ())
        case .frame where header!.place == .frame:
            return inFrame(header!, range.count).map { ($0, ()) }
        case .frame: expected = header!.digest
        case .parked:
            guard let parked = step!.digests[chunk] else {
                let place = UnsafeRawBufferPointer(step!.numbers.place(of: range))
                return (ChunkOperand(checked: place), ())
            }
            expected = parked
        }
        let bytes = inbound?.lane?.numbers.bytes(4 * range.lowerBound..<4 * range.upperBound)
        guard let bytes else {
            breakUp(.memory(.predecessor, .unsoundMemory(reason: "it ends before \(range)")))
            return nil
        }
        return (ChunkOperand(bytes, checkedBy: expected), ())
    }

    /// The numbers of the frame at hand, read out of its format; nil, and the generation is broken,
    /// if that is another than the run's.
    private func inFrame(_ header: FrameHeader, _ count: Int) -> ChunkOperand? {
        guard header.format == wire else {
            breakUp(.violation(.predecessor, .frame(.malformed)))
            return nil
        }
        let bytes = UnsafeRawBufferPointer(numbersAtHand)
        guard wire != .f32 else {
            return isInPayload
                ? ChunkOperand(checked: bytes, digest: header.digest)
                : ChunkOperand(bytes, checkedBy: header.digest)
        }
        guard isInPayload || FastDigest(block: bytes) == header.digest else {
            breakUp(.violation(.predecessor, .frame(.checksum)))
            return nil
        }
        if decoded.count < 4 * count {
            decoded.deallocate()
            decoded = .allocate(byteCount: max(4 * count, configuration.chunkBytes), alignment: 64)
        }
        let floats = UnsafeMutableRawBufferPointer(rebasing: decoded[..<(4 * count)])
        wire.decode(bytes, into: floats)
        return ChunkOperand(checked: UnsafeRawBufferPointer(floats))
    }

    private func message(
        for header: FrameHeader, _ reusable: Message?
    ) throws(MessagingError) -> Message {
        if let reusable { return reusable }
        try outgoing.allocate(header.frameBytes)
        return outgoing
    }

    /// Sends a chunk of the total vector, in the frame that it came in if there is one.
    func sendTotal(_ chunk: Int, in frame: Message?) throws(MessagingError) {
        var header = step!.fold.totalHeader(chunk: chunk)
        header.digest = step!.digests[chunk]!
        if step!.usesLane {
            header.place = .memory
            return put(header)
        }
        header.format = wire
        let place = UnsafeRawBufferPointer(
            step!.numbers.place(of: step!.fold.plan.elements(ofChunk: chunk)))
        if let stream = link?.stream { return queue(header, place, on: stream) }
        let message = try message(for: header, frame)
        // Rounded already: writing it loses nothing, here as with whoever wrote it first.
        wire.encode(place, into: Self.numbers(message))
        if wire == .f32 {
            header.sealHeader(message.buffer)
        } else {
            header.seal(message.buffer)
        }
        try send(message)
    }

    private func send(_ frame: Message) throws(MessagingError) {
        let size = frame.count
        guard let link, try link.send(frame) else {
            // Credits keep the queue from being full, so nobody is there.
            return breakUp(.lost(.successor))
        }
        progress.framesSent += 1
        progress.bytesSent += size
    }

    private func grant(_ header: FrameHeader) throws(MessagingError) {
        guard let inbound else { return }
        progress.creditsSent += 1
        if let lane = inbound.lane { return putBack(header, on: lane) }
        if let stream = inbound.stream {
            if !stream.writer.put(header) { breakUp(.lost(.predecessor)) }
            return
        }
        let frame = try message(for: header, nil)
        header.sealHeader(frame.buffer)
        do throws(MessagingError) {
            try reply(frame, to: inbound)
        } catch .unknownPeer, .wouldBlock {
            breakUp(.lost(.predecessor))
        }
    }

    private func complete() {
        guard let done = step else { return }
        let now = ContinuousClock.now
        step = nil
        if let link, link.streamFailed { failedStreams.note(link.endpoint) }
        lastStep = done.input.step
        // A lane notes its end just after the ring may have seen it.
        let timings = RingTimings(
            waitSeconds: done.input.completedAt.map { max(0, $0.duration(to: now).seconds) } ?? 0,
            begun: done.startedAt ?? now, ended: now,
            processorSeconds: processorSeconds() - done.processorAtStart,
            checksumSeconds: done.checkingSeconds + done.numbers.checksumSeconds,
            link: link?.measured())
        progress.chunksKnown = done.fold.plan.chunks
        release(before: lastStep + 1)
        publish()
        unread = .folded(step: done.input.step, digest: done.numbers.digest(), timings: timings)
        reportFolded()
    }
}
