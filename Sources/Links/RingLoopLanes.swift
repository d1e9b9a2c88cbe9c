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
            credited(try FrameHeader(UnsafeRawBufferPointer(signal)))
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

    /// Reports a fold that is complete here, once the successor or the kernel has read the total.
    func reportFolded() {
        guard let event = unread, isRead else { return }
        unread = nil
        notify(event)
    }

    /// In place, nobody writes a total before all have begun another step.
    private var isRead: Bool {
        if membership?.value.sumsInPlace == true { return true }
        return folds?.isClear != false && link?.stream?.writer.isEmpty != false
    }

    /// The successor has read what lies in the total vector.
    func released() {
        reportFolded()
        if membership?.formed == true, let waitingStep { start(waitingStep) }
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
