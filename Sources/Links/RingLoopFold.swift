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

    /// Gives a frame of the predecessor to the fold, or keeps it for a later one.
    func judge(_ header: FrameHeader) {
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
        case .act(let action): obey(action, header)
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
        progress.creditsReceived += 1
        // With no fold under way it is the last step's, which needs no credit any more.
        guard step != nil else { return }
        switch step!.fold.receive(header, from: .successor) {
        case .noted, .act, .early: break
        case .drop(let reason): count(reason)
        case .broken(let violation): breakUp(.violation(.successor, violation))
        }
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

    private func hold(_ header: FrameHeader) {
        // Credits allow a neighbour no more than this before the step begins here.
        guard held.count < 2 * configuration.credits else {
            return breakUp(.violation(.predecessor, .tooFarAhead(step: header.step)))
        }
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
