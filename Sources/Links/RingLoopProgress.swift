import Glibc
import Ring

/// Shows others the state of the ring thread.
extension RingLoop {
    func count(_ reason: DropReason) {
        drops[DropReason.allCases.firstIndex(of: reason)!] += 1
    }

    func publish() {
        if link?.transport == .tcp {
            progress.bytesSentOverTCP += progress.bytesSent - bytesNoted
        }
        bytesNoted = progress.bytesSent
        progress.generation = membership?.value.generation
        progress.state =
            switch (membership?.broken, membership?.formed, step) {
            case (nil, _, _): .idle
            case (true?, _, _): .broken
            case (_, false?, _): .forming
            case (_, _, nil): .formed
            default: .folding
            }
        let formed = membership?.formed == true ? link : nil
        progress.lane = formed?.transport
        progress.streams = formed?.stream != nil
        progress.isSealed = formed.map { $0.stream?.isSealed ?? $0.isSealed } ?? false
        // A fold that is complete here lasts until the successor has read the total.
        progress.waitsFor = folds?.step?.fold.waitsFor ?? (unread == nil ? .nothing : .successor)
        if let fold = folds?.step?.fold {
            progress.step = fold.step
            progress.chunks = fold.plan.chunks
            progress.chunksKnown = fold.chunksKnown
        }
        for index in drops.indices where drops[index] > 0 {
            progress.drops[DropReason.allCases[index].rawValue] = drops[index]
        }
        mailbox.progress.withLock { $0 = progress }
    }
}

/// Seconds of processor time that this thread has used.
func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
