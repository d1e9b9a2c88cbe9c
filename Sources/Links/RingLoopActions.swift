import Messaging
import Parameters
import Ring

/// Moves what the folds hand out.
extension RingLoop {
    /// Obeys what the folds want without a frame; false if they want nothing.
    func advance() throws(MessagingError) -> Bool {
        guard folds != nil else { return false }
        if let step { folds!.ready(downTo: step.input.ready) }
        var moved = false
        // Not more in a row: what neighbours sent is waiting too.
        for _ in 0..<4 {
            let now = step != nil && step!.startedAt == nil ? ContinuousClock.now : nil
            guard folds != nil, let outcome = folds!.next() else { break }
            if let now { step!.startedAt = now }
            moved = true
            obey(outcome)
        }
        return moved
    }

    /// - Parameter header: of the frame at hand, if the outcome is of one.
    func obey(_ outcome: FoldOutcome, _ header: FrameHeader? = nil) {
        do throws(MessagingError) {
            switch outcome {
            case .taken: break
            case .send(let carry): try send(carry, reusing: header)
            case .reply(let header): try reply(header)
            case .early: hold(header!)
            case .dropped(let reason): count(reason)
            case .released: released()
            case .complete(let digest, let seconds): complete(digest, checksumSeconds: seconds)
            case .broken(let fault): breakUp(RingBreak(fault))
            }
        } catch {
            breakUp(.socket(error))
        }
    }

    private func send(
        _ carry: Carry, reusing header: FrameHeader?
    ) throws(MessagingError) {
        guard carry.header.place == .frame else { return put(carry.header) }
        if let stream = link?.stream { return queue(carry, on: stream) }
        // In the frame that came in, if it is at hand.
        let reusable = header?.frameBytes == carry.header.frameBytes && isInPayload
        if !reusable { try outgoing.allocate(carry.header.frameBytes) }
        let message = reusable ? payload : outgoing
        var carry = carry
        carry.write(into: Self.numbers(message))
        carry.header.sealHeader(message.buffer)
        try send(message)
    }

    static func numbers(_ message: Message) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: message.buffer[FrameHeader.byteCount...])
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

    private func reply(_ header: FrameHeader) throws(MessagingError) {
        guard let inbound else { return }
        if case .credit = header.body { progress.creditsSent += 1 }
        if let lane = inbound.lane { return putBack(header, on: lane) }
        if let stream = inbound.stream {
            if !stream.writer.put(header) { breakUp(.lost(.predecessor)) }
            return
        }
        try outgoing.allocate(header.frameBytes)
        header.sealHeader(outgoing.buffer)
        do throws(MessagingError) {
            try reply(outgoing, to: inbound)
        } catch .unknownPeer, .wouldBlock {
            breakUp(.lost(.predecessor))
        }
    }

    private func complete(_ digest: FastDigest, checksumSeconds: Double) {
        guard let done = step else { return }
        let now = ContinuousClock.now
        step = nil
        if let link, link.streamFailed { failedStreams.note(link.endpoint) }
        // A lane notes its end just after the ring may have seen it.
        let timings = RingTimings(
            waitSeconds: done.input.completedAt.map { max(0, $0.duration(to: now).seconds) } ?? 0,
            begun: done.startedAt ?? now, ended: now,
            processorSeconds: processorSeconds() - done.processorAtStart,
            checksumSeconds: done.checkingSeconds + checksumSeconds,
            link: link?.measured())
        progress.chunksKnown = progress.chunks
        publish()
        unread = .folded(step: done.input.step, digest: digest, timings: timings)
        reportFolded()
    }
}
