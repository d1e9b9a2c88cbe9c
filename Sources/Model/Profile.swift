import Kernels

/// Where a lane's time goes: nanoseconds of its thread, floating-point operations and bytes by primitive.
///
/// Belongs to one lane. Costs two readings of the clock a primitive, and nothing where there is none.
package final class Profile {
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

    package struct Entry: Sendable {
        package var nanoseconds: UInt64 = 0
        package var calls = 0
        /// Floating-point operations of products.
        package var operations = 0
        /// Bytes read and written at least.
        package var bytes = 0
    }

    private var entries = [Entry](repeating: Entry(), count: Kind.allCases.count)

    package init() {}

    package subscript(kind: Kind) -> Entry { entries[kind.rawValue] }

    package func reset() {
        for index in entries.indices { entries[index] = Entry() }
    }

    /// Adds what another lane counted, once both have stopped.
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
