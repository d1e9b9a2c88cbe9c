import Messaging
import Parameters
import Synchronization

/// Vectors in memory that other processes of this host may map, known by their address.
final class SharedGradients: Sendable {
    private let handles = Mutex<[UInt: DescriptorHandle]>([:])

    /// Zeros that others can read; memory of this process alone if it can't be shared, or if more is
    /// shared already than a board has places for.
    func vector(count: Int) -> ParameterVector {
        guard handles.withLock({ $0.count }) < GradientBoard.places else {
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

    /// Where others find a vector; nil if it is this process's alone.
    func handle(of vector: ParameterVector) -> DescriptorHandle? {
        handles.withLock { $0[UInt(bitPattern: vector.unsafeAddress)] }
    }
}
