import Messaging
import Parameters
import Ring
import Wire

/// A page on which a worker says where its gradients of the step at hand lie.
///
/// It is written before the first chunk is announced, and read after the announcement has come
/// around: that orders the two.
///
/// Layout, 64 bytes for each own shard, in shard order: 0 step u64 · 8 epoch u32 · 12 counter u32 ·
/// 16 process i32 · 20 descriptor i32 · 24 device u64 · 32 inode u64 · 40 bytes u64.
package struct GradientBoard {
    /// Own shards that there is room for.
    package static let places = 64
    private static let placeBytes = 64
    package static let byteCount = places * placeBytes

    private let memory: SharedMemory

    init() throws(MessagingError) {
        memory = try SharedMemory(byteCount: Self.byteCount, writable: false)
    }

    var handle: DescriptorHandle { memory.handle }

    func post(_ gradients: [DescriptorHandle], _ generation: Generation, step: UInt64) {
        precondition(gradients.count <= Self.places, "\(gradients.count) gradients on a board")
        for (index, gradient) in gradients.enumerated() {
            let place = memory.address + index * Self.placeBytes
            place.storeBytes(of: step, as: UInt64.self)
            place.storeBytes(of: generation.epoch, toByteOffset: 8, as: UInt32.self)
            place.storeBytes(of: generation.counter, toByteOffset: 12, as: UInt32.self)
            place.storeBytes(of: gradient.process, toByteOffset: 16, as: Int32.self)
            place.storeBytes(of: gradient.descriptor, toByteOffset: 20, as: Int32.self)
            place.storeBytes(of: gradient.device, toByteOffset: 24, as: UInt64.self)
            place.storeBytes(of: gradient.inode, toByteOffset: 32, as: UInt64.self)
            place.storeBytes(
                of: UInt64(gradient.byteCount), toByteOffset: 40, as: UInt64.self)
        }
    }

    /// What a neighbour has posted; nil if it is of another step or generation.
    static func read(
        _ board: NeighbourMemory, place index: Int, _ generation: Generation, step: UInt64
    ) -> DescriptorHandle? {
        let start = index * placeBytes
        guard index < places, let place = board.bytes(start..<start + placeBytes),
            place.load(as: UInt64.self) == step,
            place.load(fromByteOffset: 8, as: UInt32.self) == generation.epoch,
            place.load(fromByteOffset: 12, as: UInt32.self) == generation.counter
        else { return nil }
        return DescriptorHandle(
            process: place.load(fromByteOffset: 16, as: Int32.self),
            descriptor: place.load(fromByteOffset: 20, as: Int32.self),
            device: place.load(fromByteOffset: 24, as: UInt64.self),
            inode: place.load(fromByteOffset: 32, as: UInt64.self),
            byteCount: Int(clamping: place.load(fromByteOffset: 40, as: UInt64.self)))
    }
}

extension DescriptorHandle {
    init(_ place: MemoryPlace) {
        self.init(
            process: place.process, descriptor: place.descriptor, device: place.device,
            inode: place.inode, byteCount: Int(clamping: place.bytes))
    }
}

extension MemoryPlace {
    init(_ handle: DescriptorHandle) {
        self.init(
            process: handle.process, descriptor: handle.descriptor, device: handle.device,
            inode: handle.inode, bytes: UInt64(handle.byteCount))
    }
}

/// The other workers' gradients as this process maps them; mappings are kept from step to step.
///
/// No checksum stands before these numbers: they are read where they were computed, as their owner
/// would read them, and the sum bears one. Whatever they hold, nothing but the sum depends on it.
package struct NeighbourGradients {
    private var boards: [DescriptorHandle: NeighbourMemory] = [:]
    private var vectors: [DescriptorHandle: ParameterVector] = [:]
    /// Mappings of the generation at hand.
    private var used: Set<DescriptorHandle> = []

    package init() {}

    /// Forgets what the last generation has not read.
    package mutating func nextGeneration() {
        boards = boards.filter { used.contains($0.key) }
        vectors = vectors.filter { used.contains($0.key) }
        used = []
    }

    /// The gradients of all shards, in shard order.
    ///
    /// - Throws: what keeps one from being read: then no sum can be made in place.
    package mutating func all(
        _ plan: RingPlan, own: [ParameterVector], boards places: [DescriptorHandle],
        _ generation: Generation, step: UInt64
    ) throws(MessagingError) -> [ParameterVector] {
        var all: [ParameterVector] = []
        for rank in 0..<plan.workers {
            guard rank != plan.rank else {
                all += own
                continue
            }
            let board = try board(places[rank])
            for index in 0..<plan.shardBounds[rank + 1] - plan.shardBounds[rank] {
                let place = GradientBoard.read(board, place: index, generation, step: step)
                guard let place else {
                    throw .unsoundMemory(reason: "a board is of another step")
                }
                all.append(try vector(place, count: plan.count))
            }
        }
        return all
    }

    private mutating func board(_ place: DescriptorHandle) throws(MessagingError)
        -> NeighbourMemory
    {
        used.insert(place)
        if let board = boards[place] { return board }
        guard place.byteCount == GradientBoard.byteCount else {
            throw .unsoundMemory(reason: "a board of \(place.byteCount) bytes")
        }
        let board = try NeighbourMemory(place, writable: false)
        boards[place] = board
        return board
    }

    private mutating func vector(
        _ place: DescriptorHandle, count: Int
    ) throws(MessagingError) -> ParameterVector {
        used.insert(place)
        if let vector = vectors[place], vector.count == count { return vector }
        guard place.byteCount >= 4 * count else {
            throw .unsoundMemory(reason: "a gradient of \(place.byteCount) bytes")
        }
        let memory = try NeighbourMemory(place, writable: false)
        let vector = ParameterVector(
            memory: memory.address.assumingMemoryBound(to: Float.self), count: count
        ) { withExtendedLifetime(memory) {} }
        vectors[place] = vector
        return vector
    }
}
