import Messaging
import Parameters
import Synchronization
import Wire

/// Gradients and totals in memory that other processes of this host may map, known by their
/// address.
final class SharedVectors: Sendable {
    private let handles = Mutex<[UInt: MemoryPlace]>([:])
    /// Each has a descriptor: as many gradients as a board has places for, and the totals beside
    /// the usual one that are kept for those who learn.
    private static let limit = VectorBoard.places + 4

    /// Zeros that others can read; memory of this process alone if it can't be shared, or if there
    /// is enough of it already.
    func vector(count: Int) -> ParameterVector {
        guard handles.withLock({ $0.count }) < Self.limit else {
            return ParameterVector(count: count)
        }
        do throws(MessagingError) {
            let memory = try SharedMemory(byteCount: max(4, 4 * count), writable: false)
            let key = UInt(bitPattern: memory.address)
            handles.withLock { $0[key] = memory.handle }
            return ParameterVector(
                memory: memory.address.assumingMemoryBound(to: Float.self), count: count
            ) { [self] in
                handles.withLock { $0[key] = nil }
                withExtendedLifetime(memory) {}
            }
        } catch {
            return ParameterVector(count: count)
        }
    }

    /// Returns the place at which others find a vector; nil if it is this process's alone.
    func handle(of vector: ParameterVector) -> MemoryPlace? {
        handles.withLock { $0[UInt(bitPattern: vector.unsafeAddress)] }
    }
}
