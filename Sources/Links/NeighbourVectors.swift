import Messaging
import Parameters
import Ring
import Wire

/// The other workers' gradients and totals as this process maps them; mappings are kept from step
/// to step.
///
/// No checksum stands before gradients: they are read where they were computed, as their owner
/// would read them, and the sum bears one. Whatever they hold, nothing but the sum depends on it.
package struct NeighbourVectors {
    private struct Mapping {
        let memory: NeighbourMemory
        var lastUse: Int
    }

    /// Steps for which what is not used stays mapped: totals that are kept for those who learn take
    /// turns, and to map memory takes longer than to read it.
    private static let patience = 8

    private var mapped: [MemoryPlace: Mapping] = [:]
    private var steps = 0

    /// Maps nothing yet.
    package init() {}

    /// Forgets the memory of processes that have none of these boards: of those that have gone it
    /// is free only when nobody maps it.
    package mutating func nextGeneration(of boards: [MemoryPlace]) {
        let processes = Set(boards.map(\.process))
        mapped = mapped.filter { processes.contains($0.key.process) }
    }

    /// Returns the vectors that all workers have posted; `own` are those of this one.
    ///
    /// - Throws: `.system` or `.unsoundMemory` where one can't be read: then no sum can be made in
    /// place.
    package mutating func all(
        _ plan: RingPlan, own: (gradients: [ParameterVector], total: ParameterVector),
        boards places: [MemoryPlace], _ generation: Generation, step: UInt64
    ) throws(MessagingError) -> FoldVectors {
        var all = FoldVectors()
        steps += 1
        for rank in 0..<plan.workers {
            guard rank != plan.rank else {
                all.gradients += own.gradients
                all.totals.append(own.total)
                continue
            }
            let board = try board(places[rank])
            func posted(_ index: Int) throws(MessagingError) -> MemoryPlace {
                guard let place = VectorBoard.read(board, place: index, generation, step: step)
                else { throw .unsoundMemory(reason: "a board is of another step") }
                return place
            }
            for index in 0..<plan.shardBounds[rank + 1] - plan.shardBounds[rank] {
                all.gradients.append(try vector(try posted(index), count: plan.count))
            }
            all.totals.append(try vector(try posted(VectorBoard.total), count: plan.count))
        }
        mapped = mapped.filter { steps - $0.value.lastUse < Self.patience }
        return all
    }

    private mutating func board(_ place: MemoryPlace) throws(MessagingError)
        -> NeighbourMemory
    {
        guard place.byteCount == VectorBoard.byteCount else {
            throw .unsoundMemory(reason: "a board of \(place.byteCount) bytes")
        }
        return try memory(place)
    }

    private mutating func vector(
        _ place: MemoryPlace, count: Int
    ) throws(MessagingError) -> ParameterVector {
        guard place.byteCount >= 4 * count else {
            throw .unsoundMemory(reason: "a vector of \(place.byteCount) bytes")
        }
        let memory = try memory(place)
        return ParameterVector(
            memory: memory.address.assumingMemoryBound(to: Float.self), count: count
        ) { withExtendedLifetime(memory) {} }
    }

    private mutating func memory(_ place: MemoryPlace) throws(MessagingError)
        -> NeighbourMemory
    {
        if let mapping = mapped[place] {
            mapped[place]!.lastUse = steps
            return mapping.memory
        }
        let memory = try NeighbourMemory(place, writable: false)
        mapped[place] = Mapping(memory: memory, lastUse: steps)
        return memory
    }
}
