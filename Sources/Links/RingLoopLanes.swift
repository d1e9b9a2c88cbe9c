import Messaging
import Ring

/// Frames that neighbours of this host put into shared memory.
extension RingLoop {
    /// Takes what neighbours have put; false if there is nothing.
    func takeFromLanes() throws(MessagingError) -> Bool {
        var moved = false
        for _ in 0..<4 {
            guard try takeFromPredecessor() else { break }
            moved = true
        }
        while try takeFromSuccessor() { moved = true }
        return moved
    }

    private func takeFromPredecessor() throws(MessagingError) -> Bool {
        do throws(MessagingError) {
            guard try inbound?.lane?.forward.take(into: signal) == true else { return false }
        } catch {
            breakUp(.memory(.predecessor, error))
            inbound?.lane = nil
            return true
        }
        do throws(FrameError) {
            let header = try FrameHeader(UnsafeRawBufferPointer(signal))
            progress.framesReceived += 1
            progress.bytesReceived += header.bytesWithNumbers
            judge(header)
        } catch {
            breakUp(.violation(.predecessor, .frame(error)))
        }
        return true
    }

    private func takeFromSuccessor() throws(MessagingError) -> Bool {
        do throws(MessagingError) {
            guard try link?.lane?.backward.take(into: signal) == true else { return false }
        } catch {
            breakUp(.memory(.successor, error))
            link?.lane = nil
            return true
        }
        do throws(FrameError) {
            let header = try FrameHeader(UnsafeRawBufferPointer(signal))
            if case .released = header.body {
                released(header)
            } else {
                credited(header)
            }
        } catch {
            breakUp(.violation(.successor, .frame(error)))
        }
        return true
    }

    // MARK: Sending

    /// Tells the successor that a sum lies in the total vector.
    func put(_ header: FrameHeader) {
        guard let lane = link?.lane else { return breakUp(.lost(.successor)) }
        header.sealHeader(signal)
        // Credits keep the queue from being full.
        guard lane.forward.put(UnsafeRawBufferPointer(signal)) else {
            return breakUp(.lost(.successor))
        }
        lane.wakeSuccessor()
        lane.lastSent = header.step
        progress.framesSent += 1
        progress.bytesSent += header.bytesWithNumbers
    }

    /// Puts a credit or a release; the predecessor takes them whenever it is awake.
    func putBack(_ header: FrameHeader, on lane: IncomingLane) {
        header.sealHeader(signal)
        guard lane.backward.put(UnsafeRawBufferPointer(signal)) else {
            return breakUp(.lost(.predecessor))
        }
        lane.wakePredecessor()
    }

    // MARK: The total vector is free again

    /// Tells the predecessor that nothing before `step` is read any more.
    func release(before step: UInt64) {
        guard step > 0, let membership, !membership.broken, let lane = inbound?.lane,
            lane.released < step - 1
        else { return }
        lane.released = step - 1
        putBack(
            FrameHeader(
                run: membership.value.run, generation: membership.value.generation,
                step: step - 1, body: .released),
            on: lane)
    }

    /// Reports a fold that is complete here, once the successor or the kernel has read the total.
    func reportFolded() {
        guard let event = unread, isRead else { return }
        unread = nil
        notify(event)
    }

    /// In place, nobody writes a total before all have begun another step.
    private var isRead: Bool {
        if membership?.value.sumsInPlace == true { return true }
        return link?.lane?.isClear != false && link?.stream?.writer.isEmpty != false
    }

    private func released(_ header: FrameHeader) {
        guard let membership, !membership.broken, let lane = link?.lane,
            header.run == membership.value.run,
            header.generation == membership.value.generation
        else { return count(.otherGeneration) }
        lane.released = max(lane.released, header.step)
        reportFolded()
        if membership.formed, let waitingStep { start(waitingStep) }
    }
}

extension FrameHeader {
    /// Number of bytes that the frame would have with its numbers behind it.
    var bytesWithNumbers: Int {
        switch body {
        case .partial(let piece), .total(let piece):
            Self.byteCount + (place == .gradients ? 0 : 4 * piece.elements)
        default: Self.byteCount
        }
    }
}
