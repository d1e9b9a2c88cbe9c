import Messaging
import Parameters
import Ring
import Settings
import Wire

/// The shared memory of a link, as the predecessor made it: sums lie in its total vector, which
/// the successor maps; two queues carry the headers there and the credits back.
package final class OutgoingLane {
    /// The total vector's memory.
    package let numbers: SharedMemory
    private let queues: SharedMemory
    /// The queue of headers that this process puts and the successor takes.
    package var forward: SharedQueue
    /// The queue of credits that the successor puts and this process takes.
    package var backward: SharedQueue
    private var bell: NeighbourBell?

    /// Makes the two queues, of `slots` headers each, beside the total vector's memory.
    ///
    /// - Throws: `.system` when there is no memory for them.
    package init(numbers: SharedMemory, slots: Int) throws(MessagingError) {
        self.numbers = numbers
        queues = try SharedMemory(byteCount: LaneQueues.byteCount(slots), writable: true)
        (forward, backward) = LaneQueues.ends(queues.address, slots)
    }

    /// Returns the places that the successor needs in order to map this, in bytes for a greeting.
    package func offer(_ bell: Bell) -> [UInt8] {
        var writer = ByteWriter()
        for handle in [queues.handle, numbers.handle, bell.handle] { writer.put(handle) }
        return writer.bytes
    }

    /// Whether the successor has mapped it.
    var isOpen: Bool { bell != nil }

    /// Reads the successor's answer to the offer; returns its reason if it declined, else nil.
    package func open(_ answer: [UInt8]) -> String? {
        var reader = ByteReader(answer)
        do {
            guard try reader.integer("accepted", as: UInt8.self) == 1 else {
                return try reader.text("reason", limit: 1024)
            }
            bell = try NeighbourBell(try reader.handle())
            return nil
        } catch {
            return plainWords(error)
        }
    }

    func wakeSuccessor() { if forward.mustWake() { bell?.ring() } }
}

/// The same as the successor maps it.
package final class IncomingLane {
    /// The predecessor's total vector, for reading alone.
    package let numbers: NeighbourMemory
    private let queues: NeighbourMemory
    /// The queue of headers that the predecessor puts and this process takes.
    package var forward: SharedQueue
    /// The queue of credits that this process puts and the predecessor takes.
    package var backward: SharedQueue
    private let bell: NeighbourBell

    /// - Throws: `MessagingError` or `WireError` for an unsound offer: then nothing stays mapped.
    package init(offer: [UInt8], slots: Int) throws {
        var reader = ByteReader(offer)
        let queues = try reader.handle()
        guard queues.byteCount == LaneQueues.byteCount(slots) else {
            throw MessagingError.unsoundMemory(reason: "queues of \(queues.byteCount) bytes")
        }
        self.queues = try NeighbourMemory(queues, writable: true)
        numbers = try NeighbourMemory(try reader.handle(), writable: false)
        bell = try NeighbourBell(try reader.handle())
        (forward, backward) = LaneQueues.ends(self.queues.address, slots)
    }

    /// Returns the answer to an offer that was mapped: the bell by which the predecessor wakes this
    /// one.
    package static func acceptance(_ bell: Bell) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(1 as UInt8)
        writer.put(bell.handle)
        return writer.bytes
    }

    /// Returns the answer to an offer that was declined; of the reason go 100 characters.
    package static func refusal(_ reason: String) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(0 as UInt8)
        writer.put(String(reason.prefix(100)))
        return writer.bytes
    }

    static func isRefusal(_ answer: [UInt8]) -> Bool { answer.first == 0 }

    /// Rings the predecessor's bell if it sleeps; to be called after putting a credit.
    package func wakePredecessor() { if backward.mustWake() { bell.ring() } }
}

private enum LaneQueues {
    /// Rounded to a cache line, so that the second queue is aligned like the first.
    private static func one(_ slots: Int) -> Int {
        (SharedQueue.byteCount(slots: slots, frameBytes: FrameHeader.byteCount) + 63) / 64 * 64
    }

    static func byteCount(_ slots: Int) -> Int { 2 * one(slots) }

    static func ends(
        _ base: UnsafeMutableRawPointer, _ slots: Int
    ) -> (forward: SharedQueue, backward: SharedQueue) {
        func queue(_ place: UnsafeMutableRawPointer) -> SharedQueue {
            SharedQueue(at: place, slots: slots, frameBytes: FrameHeader.byteCount)
        }
        return (queue(base), queue(base + one(slots)))
    }
}

extension ByteWriter {
    fileprivate mutating func put(_ handle: MemoryPlace) {
        put(handle.process)
        put(handle.descriptor)
        put(handle.device)
        put(handle.inode)
        put(UInt64(handle.byteCount))
    }
}

extension ByteReader {
    fileprivate mutating func handle() throws(WireError) -> MemoryPlace {
        MemoryPlace(
            process: try integer("process"), descriptor: try integer("descriptor"),
            device: try integer("device"), inode: try integer("inode"),
            byteCount: Int(clamping: try integer("bytes", as: UInt64.self)))
    }
}

extension RingConfiguration {
    /// Room for all frames that credits allow in a direction, and what is said beside them.
    var laneSlots: Int { 2 * credits + 16 }
}

extension OutgoingLane {
    /// Whether a total vector begins where the memory does and lies in it.
    func holds(_ total: ParameterVector) -> Bool {
        UnsafeMutableRawPointer(total.unsafeAddress) == numbers.address
            && total.byteCount <= numbers.byteCount
    }
}

extension RingLink {
    var transport: Transport {
        if lane?.isOpen == true { return .shared }
        return endpoint.hasPrefix("ipc:") ? .ipc : .tcp
    }
}

extension SharedMemory {
    /// The first `count` elements as a vector.
    package func vector(count: Int) -> ParameterVector {
        precondition(4 * count <= byteCount, "\(count) elements in \(byteCount) bytes")
        return ParameterVector(
            memory: address.assumingMemoryBound(to: Float.self), count: count
        ) { [self] in withExtendedLifetime(self) {} }
    }
}

extension NeighbourMemory {
    /// All of it as a vector, which is not to be written.
    var vector: ParameterVector {
        ParameterVector(
            memory: address.assumingMemoryBound(to: Float.self), count: byteCount / 4
        ) { [self] in withExtendedLifetime(self) {} }
    }
}
