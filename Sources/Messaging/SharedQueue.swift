import CLinux

/// One end of a queue of small frames of equal size, between two processes: one puts, one takes.
///
/// Layout: 0 put u64 · 64 taken u64 · 128 asleep u64 · 192 the slots. Each end keeps its own count
/// to itself and checks the other's: what the neighbour writes can break the queue, nothing else.
package struct SharedQueue {
    private let base: UnsafeMutableRawPointer
    private let slots: Int
    private let slotBytes: Int
    private let frameBytes: Int
    private var position: UInt64 = 0

    private static let taken = 64
    private static let asleep = 128
    private static let header = 192

    private static func slotBytes(_ frameBytes: Int) -> Int { (frameBytes + 63) / 64 * 64 }

    /// Returns the bytes that a queue takes: its header and slots rounded up to 64 bytes.
    package static func byteCount(slots: Int, frameBytes: Int) -> Int {
        header + slots * slotBytes(frameBytes)
    }

    /// An end of the queue at `base`, which is aligned to 64 bytes, zero at first, and stays
    /// mapped.
    package init(at base: UnsafeMutableRawPointer, slots: Int, frameBytes: Int) {
        precondition(slots > 0 && frameBytes > 0, "\(slots) slots of \(frameBytes) bytes")
        self.base = base
        self.slots = slots
        self.frameBytes = frameBytes
        slotBytes = Self.slotBytes(frameBytes)
    }

    private var place: UnsafeMutableRawPointer {
        base + Self.header + Int(position % UInt64(slots)) * slotBytes
    }

    // MARK: The end that puts

    /// Puts a frame; false if the queue is full or the other end writes nonsense.
    package mutating func put(_ frame: UnsafeRawBufferPointer) -> Bool {
        precondition(frame.count == frameBytes, "\(frame.count) bytes, not \(frameBytes)")
        guard position &- dtrain_load(base + Self.taken) < UInt64(slots) else { return false }
        place.copyMemory(from: frame.baseAddress!, byteCount: frameBytes)
        position += 1
        dtrain_store(base, position)
        return true
    }

    /// Whether the other end sleeps and must be woken by its bell; true once for each sleep.
    package func mustWake() -> Bool {
        dtrain_load(base + Self.asleep) != 0 && dtrain_exchange(base + Self.asleep, 0) != 0
    }

    // MARK: The end that takes

    /// Copies the next frame; false if there is none.
    ///
    /// - Throws: `.unsoundMemory` if the other end claims more frames than there is room for.
    package mutating func take(
        into frame: UnsafeMutableRawBufferPointer
    ) throws(MessagingError) -> Bool {
        precondition(frame.count == frameBytes, "\(frame.count) bytes, not \(frameBytes)")
        let waiting = dtrain_load(base) &- position
        guard waiting > 0 else { return false }
        guard waiting <= UInt64(slots) else {
            throw .unsoundMemory(reason: "its queue claims \(waiting) frames")
        }
        frame.baseAddress!.copyMemory(from: place, byteCount: frameBytes)
        position += 1
        dtrain_store(base + Self.taken, position)
        return true
    }

    /// Whether no frame waits to be taken.
    package var isEmpty: Bool { dtrain_load(base) == position }

    /// Asks for a ring of the bell with the next frame; look once more before sleeping.
    package func fallAsleep() { dtrain_store(base + Self.asleep, 1) }
    /// Ends what `fallAsleep` began: frames ring the bell no more.
    package func wakeUp() { dtrain_store(base + Self.asleep, 0) }
}
