import Synchronization

/// One value for each block of a flat vector, computed by any threads in any order.
///
/// Each block is set once by one thread; the values may be read once all are set. After `reset`
/// the same storage serves the next step.
package final class BlockResults<Value: Sendable>: @unchecked Sendable {
    /// The number of blocks.
    package let count: Int
    private let storage: UnsafeMutableBufferPointer<Value>
    private let missing: Atomic<Int>

    /// Makes room for the values of `count` blocks; `initial` is never folded.
    package init(count: Int, initial: Value) {
        precondition(count >= 0, "\(count) blocks")
        self.count = count
        self.storage = .allocate(capacity: count)
        self.storage.initialize(repeating: initial)
        self.missing = Atomic(count)
    }

    deinit {
        storage.deinitialize()
        storage.deallocate()
    }

    /// Forgets all blocks. Nobody else may be using this meanwhile.
    package func reset() {
        missing.store(count, ordering: .releasing)
    }

    /// Sets the value of a block, once between two calls of `reset`.
    package func set(_ block: Int, _ value: Value) {
        precondition(block >= 0 && block < count, "block \(block) of \(count)")
        storage[block] = value
        // Releases this thread's write to the one that reads all of them.
        let left = missing.subtract(1, ordering: .acquiringAndReleasing).newValue
        precondition(left >= 0, "more values than the \(count) blocks: block \(block) set again")
    }

    /// Whether every block has its value, so that `reduce` may be called.
    package var isComplete: Bool { missing.load(ordering: .acquiring) == 0 }

    /// Folds the values in block order, whichever thread computed them. All must be set.
    package func reduce<Result>(
        into initial: Result, _ fold: (inout Result, Value) -> Void
    ) -> Result {
        precondition(isComplete, "some of \(count) blocks are missing")
        return storage.reduce(into: initial, fold)
    }
}

extension ParameterVector {
    /// The number of elements of a block, into which vectors are cut
    /// for digests, norms and updates.
    package static let blockCapacity = FastDigest.blockBytes / MemoryLayout<Float>.stride

    /// Returns the number of blocks that `count` elements fill or begin.
    package static func blockCount(_ count: Int) -> Int {
        (count + blockCapacity - 1) / blockCapacity
    }

    /// The number of blocks of this vector.
    package var blockCount: Int { Self.blockCount(count) }

    /// Returns the range of elements of some neighbouring blocks.
    package func elements(of blocks: Range<Int>) -> Range<Int> {
        precondition(
            blocks.lowerBound >= 0 && blocks.upperBound <= blockCount, "\(blocks) of \(blockCount)")
        let start = min(blocks.lowerBound * Self.blockCapacity, count)
        return start..<max(start, min(blocks.upperBound * Self.blockCapacity, count))
    }
}
