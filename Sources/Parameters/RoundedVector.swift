import Kernels

/// The elements of a vector rounded to bfloat16: half a vector of memory.
///
/// Products read operands from it that would be rounded again for every shard. It does not notice
/// that the vector changes: a caller that changes it must `set` what has changed.
package final class RoundedVector: @unchecked Sendable {
    /// The number of elements, as many as the vector has.
    package let count: Int
    private let memory: ParameterVector

    /// Makes a vector of zeros.
    package init(count: Int) {
        self.count = count
        memory = ParameterVector(count: (count + 1) / 2)
    }

    /// The address of element 0, for kernels that run while somebody holds the vector.
    package var unsafeAddress: UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(memory.unsafeAddress).assumingMemoryBound(to: UInt16.self)
    }

    /// Rounds a range of `vector` anew. Lanes may do so with disjoint ranges at a time.
    package func set(_ range: Range<Int>, from vector: ParameterVector) {
        precondition(vector.count == count, "\(vector.count) elements beside \(count)")
        vector.withFloats(range) {
            guard let from = $0.baseAddress else { return }
            round(from, into: unsafeAddress + range.lowerBound, count: range.count)
        }
    }
}
