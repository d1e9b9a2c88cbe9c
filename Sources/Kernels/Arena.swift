#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory that is taken piece by piece and given back all at once.
///
/// After the largest step has been seen `take` is an addition: `reset` joins what grew into one
/// block. Pieces are aligned to 64 bytes and not cleared.
package final class Arena {
    private var blocks: [UnsafeMutableRawBufferPointer] = []
    private var used = 0
    private var usedBefore = 0

    /// Makes an arena that holds no memory yet.
    package init() { blocks.reserveCapacity(64) }

    deinit { for block in blocks { block.deallocate() } }

    /// The number of bytes that the arena holds.
    package var capacity: Int { blocks.reduce(0) { $0 + $1.count } }

    private static let alignment = 64
    private static let hugePage = 2 << 20

    /// Gives everything back: what was taken before must no longer be used.
    package func reset() {
        if blocks.count > 1 {
            let total = usedBefore + used
            for block in blocks { block.deallocate() }
            blocks.removeAll(keepingCapacity: true)
            // Some room more, so that a slightly larger step does not begin again.
            grow(total + total / 8)
        }
        used = 0
        usedBefore = 0
    }

    private func grow(_ byteCount: Int) {
        let size = (byteCount + Self.hugePage - 1) / Self.hugePage * Self.hugePage
        let block = UnsafeMutableRawBufferPointer.allocate(
            byteCount: size, alignment: Self.hugePage)
        #if os(Linux)
            madvise(block.baseAddress, size, MADV_HUGEPAGE)
        #endif
        blocks.append(block)
    }

    private func take(byteCount: Int) -> UnsafeMutableRawPointer {
        let size = (byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
        if blocks.isEmpty || used + size > blocks[blocks.count - 1].count {
            usedBefore += used
            grow(max(size, capacity / 2))
            used = 0
        }
        defer { used += size }
        return blocks[blocks.count - 1].baseAddress! + used
    }

    /// Returns a matrix of undefined content.
    package func matrix(_ rows: Int, _ columns: Int) -> Matrix {
        let count = rows * columns
        let memory = take(byteCount: count * MemoryLayout<Float>.stride)
        return Matrix(
            base: memory.bindMemory(to: Float.self, capacity: count), rows: rows, columns: columns)
    }

    /// Returns bits of undefined content, one for each of `count` elements.
    package func bits(_ count: Int) -> Bits {
        let bytes = Bits.bytes(for: count)
        return Bits(
            base: take(byteCount: bytes).bindMemory(to: UInt8.self, capacity: bytes), count: count)
    }

    /// Returns a copy of token ids or other indices.
    package func indices(_ content: [Int32]) -> Indices {
        let memory = take(byteCount: content.count * MemoryLayout<Int32>.stride)
        let base = memory.bindMemory(to: Int32.self, capacity: content.count)
        content.withUnsafeBufferPointer {
            if let start = $0.baseAddress { base.update(from: start, count: $0.count) }
        }
        return Indices(base: base, count: content.count)
    }

    /// Returns a copy of offsets, such as those of packed sequences.
    package func offsets(_ content: [Int]) -> Offsets {
        let memory = take(byteCount: content.count * MemoryLayout<Int>.stride)
        let base = memory.bindMemory(to: Int.self, capacity: content.count)
        content.withUnsafeBufferPointer {
            if let start = $0.baseAddress { base.update(from: start, count: $0.count) }
        }
        return Offsets(base: base, count: content.count)
    }
}

/// A bit for each of `count` elements; bit i is bit i % 8 of byte i / 8.
package struct Bits: @unchecked Sendable {
    let base: UnsafeMutablePointer<UInt8>
    /// The number of elements.
    package let count: Int

    /// Returns the bytes for so many bits: groups of 64 are written, and up to 8
    /// bytes past a row's end are read.
    static func bytes(for count: Int) -> Int { (count + 63) / 64 * 8 + 8 }

    /// Whether bit `index` is 1.
    package subscript(index: Int) -> Bool {
        precondition(index >= 0 && index < count, "bit \(index) of \(count)")
        return base[index >> 3] >> UInt8(index & 7) & 1 == 1
    }
}

/// Indices into rows or columns, such as token ids.
package struct Indices: @unchecked Sendable {
    let base: UnsafeMutablePointer<Int32>
    /// The number of indices.
    package let count: Int

    /// The index at a place.
    package subscript(index: Int) -> Int {
        precondition(index >= 0 && index < count, "index \(index) of \(count)")
        return Int(base[index])
    }

    /// Returns the indices at some places, in the same memory.
    package func slice(_ range: Range<Int>) -> Indices {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count)")
        return Indices(base: base + range.lowerBound, count: range.count)
    }
}

/// The offsets at which each of `count - 1` packed sequences begins, and the end of the last.
package struct Offsets: @unchecked Sendable {
    let base: UnsafeMutablePointer<Int>
    /// The number of offsets, one more than there are sequences; 0 for none.
    package let count: Int

    /// The number of sequences.
    package var sequences: Int { max(count - 1, 0) }

    /// The end of the last sequence: the number of tokens.
    package var tokens: Int { count == 0 ? 0 : base[count - 1] }

    /// The range of tokens of a sequence.
    package subscript(sequence: Int) -> Range<Int> {
        precondition(sequence >= 0 && sequence + 1 < count, "sequence \(sequence) of \(count - 1)")
        return base[sequence]..<base[sequence + 1]
    }
}
