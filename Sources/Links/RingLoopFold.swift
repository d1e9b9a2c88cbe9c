import Messaging
import Parameters
import Ring
import Wire

/// Frames in, sums out.
extension RingLoop {
    /// Takes one message from the inbound socket; false if there is none.
    func receiveFromPredecessor() throws(MessagingError) -> Bool {
        do throws(MessagingError) {
            guard try router.receive(identity: sender, payload: payload) else {
                return try receiveFromInbox()
            }
        } catch .tooManyFrames, .tooFewFrames, .tooManyBytes {
            count(.foreign)
            return true
        }
        judgePayload(connection: payload.connection)
        return true
    }

    /// Gives the message at hand to whom it is for.
    func judgePayload(connection: Int32) {
        let isPredecessor = inbound.map { isSender($0.identity) } ?? false
        do throws(FrameError) {
            let before = processorSeconds()
            let header = try FrameHeader(UnsafeRawBufferPointer(payload.buffer))
            step?.checkingSeconds += processorSeconds() - before
            if case .greeting = header.body {
                greeted(
                    header, identity: sender.bytes, connection: connection,
                    proof: proof(connection), offer: attached(header))
            } else if isPredecessor {
                progress.framesReceived += 1
                progress.bytesReceived += payload.count
                dropUnusedStream()
                takeInHand()
                judge(header)
            } else {
                count(
                    header.generation == membership?.value.generation ? .foreign : .otherGeneration)
            }
        } catch {
            guard isPredecessor else { return count(.foreign) }
            breakUp(.violation(.predecessor, .frame(error)))
        }
    }

    /// Returns the bytes that a greeting or an answer brings along.
    private func attached(_ header: FrameHeader) -> [UInt8] {
        Array(payload.buffer.suffix(header.attachedBytes))
    }

    /// The frame at hand is the one in `payload`.
    private func takeInHand() {
        numbersAtHand = Self.numbers(payload)
        isInPayload = true
    }

    func isSender(_ identity: [UInt8]) -> Bool {
        sender.withBytes { $0.elementsEqual(identity) }
    }

    /// Gives a frame of the predecessor, with the numbers at hand, to the folds.
    func judge(_ header: FrameHeader) {
        guard folds != nil else { return count(.otherGeneration) }
        if step != nil, step!.startedAt == nil { step!.startedAt = .now }
        obey(
            folds!.receive(
                header, UnsafeRawBufferPointer(numbersAtHand), isChecked: isInPayload,
                from: .predecessor),
            header)
    }

    /// Takes all credits and answers of the successor.
    func receiveFromSuccessor() throws(MessagingError) -> Bool {
        var moved = false
        while let link, try receive(from: link) {
            moved = true
            if payload.count == 0, link.target != nil {
                // Before it has answered it may not be there yet.
                if link.answered { breakUp(.lost(.successor)) }
                continue
            }
            let header: FrameHeader
            do throws(FrameError) {
                header = try FrameHeader(UnsafeRawBufferPointer(payload.buffer))
            } catch {
                breakUp(.violation(.successor, .frame(error)))
                return true
            }
            if case .answer = header.body {
                answered(header, acceptance: attached(header))
            } else {
                credited(header)
            }
        }
        return moved
    }

    func credited(_ header: FrameHeader) {
        if case .credit = header.body { progress.creditsReceived += 1 }
        guard folds != nil else { return }
        obey(folds!.receive(header, from: .successor), header)
    }

    private func receive(from link: RingLink) throws(MessagingError) -> Bool {
        do throws(MessagingError) {
            return try link.receive(payload, sender: sender)
        } catch .tooManyFrames, .tooFewFrames, .tooManyBytes {
            count(.foreign)
            return true
        }
    }

    // MARK: Frames of a step to come

    func hold(_ header: FrameHeader) {
        guard header.place == .frame else { return held.append(.memory(header)) }
        guard isInPayload else {
            // What is behind it waits in the stream.
            inbound?.stream?.early = header
            return
        }
        let message = spare.popLast() ?? Message()
        message.take(payload)
        held.append(.frame(message))
    }

    /// Judges what was held again, now that another step has begun or ended.
    func releaseHeld() {
        let frames = held
        held.removeAll(keepingCapacity: true)
        for frame in frames {
            switch frame {
            case .memory(let header): judge(header)
            case .frame(let message):
                payload.take(message)
                spare.append(message)
                // Its checksum was right when it came.
                guard let header = try? FrameHeader(UnsafeRawBufferPointer(payload.buffer)) else {
                    continue
                }
                takeInHand()
                judge(header)
            }
        }
        releaseEarly()
    }

    func clearHeld() {
        for case .frame(let message) in held {
            message.clear()
            spare.append(message)
        }
        held.removeAll(keepingCapacity: true)
    }
}
