import Kernels

/// The time that a lane spends in each primitive: nanoseconds of its thread,
/// floating-point operations and bytes.
///
/// Belongs to one lane. Costs two readings of the clock a primitive, and nothing where there is none.
package final class Profile {
    /// The kind of primitive, forward and backward apart.
    package enum Kind: Int, CaseIterable, Sendable {
        case productForward, productInput, productWeight
        case logitsForward, logitsInput, logitsWeight
        case attentionForward, attentionBackward
        case crossEntropy
        case activationForward, activationBackward
        case normForward, normBackward
        case embeddingForward, embeddingBackward
        case biasBackward, dropoutMask, dropoutBackward
    }

    /// The cost of one kind of primitive.
    package struct Entry: Sendable {
        /// The processor time of the lane's thread, in nanoseconds.
        package var nanoseconds: UInt64 = 0
        /// The number of times that it ran.
        package var calls = 0
        /// The number of floating-point operations of products; 0 for all else.
        package var operations = 0
        /// The least number of bytes read and written.
        package var bytes = 0
    }

    private var entries = [Entry](repeating: Entry(), count: Kind.allCases.count)

    /// Makes a profile of nothing.
    package init() {}

    /// The cost of a kind since the last `reset`.
    package subscript(kind: Kind) -> Entry { entries[kind.rawValue] }

    /// Sets all costs to zero.
    package func reset() {
        for index in entries.indices { entries[index] = Entry() }
    }

    /// Adds the costs that another lane counted, once both have stopped.
    package func add(_ other: Profile) {
        for (index, entry) in other.entries.enumerated() {
            entries[index].nanoseconds += entry.nanoseconds
            entries[index].calls += entry.calls
            entries[index].operations += entry.operations
            entries[index].bytes += entry.bytes
        }
    }

    func add(_ kind: Kind, _ start: UInt64, operations: Int, bytes: Int) {
        let index = kind.rawValue
        entries[index].nanoseconds += ThreadClock.nanoseconds() - start
        entries[index].calls += 1
        entries[index].operations += operations
        entries[index].bytes += bytes
    }
}

extension Tape {
    /// Runs `body`, and counts it if there is a profile. `floats`: how many it reads and writes.
    @inline(__always) func measure<Result>(
        _ kind: Profile.Kind, operations: Int = 0, floats: Int = 0, _ body: () -> Result
    ) -> Result {
        guard let profile else { return body() }
        let start = ThreadClock.nanoseconds()
        defer { profile.add(kind, start, operations: operations, bytes: 4 * floats) }
        return body()
    }
}
