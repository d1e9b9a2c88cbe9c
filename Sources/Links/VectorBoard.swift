import Messaging
import Parameters
import Ring
import Wire

/// Memory in which a worker says where its gradients and its total of the step at hand lie.
///
/// It is written before the first chunk is announced, and read after the announcement has come
/// around: that orders the two. There are two halves, which steps use in turn: a neighbour may be
/// one step ahead of a reader, and not two, since no step ends before all have begun it.
///
/// Layout of a half, 64 bytes for each own shard, in shard order, at the end 64 for the total:
/// 0 step u64 · 8 epoch u32 · 12 counter u32 · 16 process i32 · 20 descriptor i32 · 24 device u64 ·
/// 32 inode u64 · 40 bytes u64.
package struct VectorBoard {
    /// Own shards that there is room for.
    package static let places = 64
    private static let placeBytes = 64
    private static let halfBytes = (places + 1) * placeBytes
    /// Length of a board, in bytes; one of another length is refused.
    package static let byteCount = 2 * halfBytes
    /// The total's place.
    static let total = places

    private let memory: SharedMemory

    /// Makes an empty board that neighbours may read.
    ///
    /// - Throws: `.system` when there is no memory for it.
    package init() throws(MessagingError) {
        memory = try SharedMemory(byteCount: Self.byteCount, writable: false)
    }

    /// The place by which neighbours find the board.
    package var handle: MemoryPlace { memory.handle }

    /// Says where a step's gradients and total lie; at most `places` gradients, in shard order.
    package func post(
        _ gradients: [MemoryPlace], total: MemoryPlace, _ generation: Generation,
        step: UInt64
    ) {
        precondition(gradients.count <= Self.places, "\(gradients.count) gradients on a board")
        for (index, gradient) in gradients.enumerated() {
            put(gradient, at: index, generation, step)
        }
        put(total, at: Self.total, generation, step)
    }

    private func put(
        _ vector: MemoryPlace, at index: Int, _ generation: Generation, _ step: UInt64
    ) {
        let place = memory.address + Self.start(of: index, step)
        place.storeBytes(of: step, as: UInt64.self)
        place.storeBytes(of: generation.epoch, toByteOffset: 8, as: UInt32.self)
        place.storeBytes(of: generation.counter, toByteOffset: 12, as: UInt32.self)
        place.storeBytes(of: vector.process, toByteOffset: 16, as: Int32.self)
        place.storeBytes(of: vector.descriptor, toByteOffset: 20, as: Int32.self)
        place.storeBytes(of: vector.device, toByteOffset: 24, as: UInt64.self)
        place.storeBytes(of: vector.inode, toByteOffset: 32, as: UInt64.self)
        place.storeBytes(of: UInt64(vector.byteCount), toByteOffset: 40, as: UInt64.self)
    }

    private static func start(of index: Int, _ step: UInt64) -> Int {
        Int(step % 2) * halfBytes + index * placeBytes
    }

    /// Returns the vector that a neighbour has posted; nil if it is of another step or generation.
    static func read(
        _ board: NeighbourMemory, place index: Int, _ generation: Generation, step: UInt64
    ) -> MemoryPlace? {
        let start = start(of: index, step)
        guard index <= total, let place = board.bytes(start..<start + placeBytes),
            place.load(as: UInt64.self) == step,
            place.load(fromByteOffset: 8, as: UInt32.self) == generation.epoch,
            place.load(fromByteOffset: 12, as: UInt32.self) == generation.counter
        else { return nil }
        return MemoryPlace(
            process: place.load(fromByteOffset: 16, as: Int32.self),
            descriptor: place.load(fromByteOffset: 20, as: Int32.self),
            device: place.load(fromByteOffset: 24, as: UInt64.self),
            inode: place.load(fromByteOffset: 32, as: UInt64.self),
            byteCount: Int(clamping: place.load(fromByteOffset: 40, as: UInt64.self)))
    }
}
