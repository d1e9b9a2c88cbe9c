import CXXHash

/// 128 bits that differ when bytes, their order or their number differ: XXH3-128 in two levels.
///
/// The bytes are cut into blocks of 1 MiB. The digest is XXH3-128 over the blocks' digests and the
/// number of bytes. A block's digest counts as low word, then high word, little-endian. So blocks
/// may be digested by any threads in any order. It guards against faults, not against forgers.
///
/// Of a vector all NaNs count as one, the canonical `Float.nan`: processors differ in the bits that
/// they set in what is not a number.
package struct FastDigest: Hashable, Sendable {
    /// The upper 64 bits.
    package var high: UInt64 = 0
    /// The lower 64 bits.
    package var low: UInt64 = 0

    /// Makes the digest of nothing, all zeros.
    package init() {}

    /// Makes a digest of its two words.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The number of bytes of a block; the last block of some memory may be shorter.
    package static let blockBytes = 1 << 20

    /// Returns the number of blocks that `byteCount` bytes fill or begin.
    package static func blockCount(_ byteCount: Int) -> Int {
        (byteCount + blockBytes - 1) / blockBytes
    }

    /// Digests the bytes, block after block.
    package init(_ bytes: UnsafeRawBufferPointer, blockBytes: Int = blockBytes) {
        let blocks = Blocks(byteCount: bytes.count, blockBytes: blockBytes)
        for block in 0..<blocks.count {
            blocks.set(block, FastDigest(block: .init(rebasing: bytes[blocks.bytes(of: block)])))
        }
        self = blocks.digest()
    }

    /// Digests the elements, NaNs as one; another size of blocks gives another digest.
    package init(_ vector: ParameterVector, blockBytes: Int = blockBytes) {
        let blocks = Blocks(byteCount: vector.byteCount, blockBytes: blockBytes)
        blocks.set(0..<blocks.count, of: vector)
        self = blocks.digest()
    }

    /// Computes XXH3-128 of these bytes alone: the digest that `Blocks.set` takes.
    package init(block: UnsafeRawBufferPointer) {
        let hash = dtrain_xxh3_128(block.baseAddress, block.count)
        self.init(high: hash.high, low: hash.low)
    }

    /// Computes XXH3-128 of these numbers, each NaN as the canonical one.
    init(numbers: UnsafeBufferPointer<Float>) {
        guard holdsNaN(numbers) else {
            self.init(block: UnsafeRawBufferPointer(numbers))
            return
        }
        let canonical = numbers.map { $0.isNaN ? Float.nan : $0 }
        self = canonical.withUnsafeBytes { FastDigest(block: $0) }
    }

    /// Makes one digest of several in order, such as those of θ, m and v.
    package init(combining digests: [FastDigest]) {
        self.init(words: digests.flatMap { [$0.low.littleEndian, $0.high.littleEndian] })
    }

    fileprivate init(words: [UInt64]) {
        self = words.withUnsafeBytes { FastDigest(block: $0) }
    }
}

extension FastDigest: CustomStringConvertible {
    /// The digest as 32 hexadecimal digits, the high word first.
    package var description: String { hexadecimal(high) + hexadecimal(low) }

    /// Reads what `description` wrote; nil for anything else.
    package init?(_ description: String) {
        guard description.utf8.count == 32, description.allSatisfy({ $0.isHexDigit }),
            let high = UInt64(description.prefix(16), radix: 16),
            let low = UInt64(description.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }
}

/// Returns sixteen hexadecimal digits.
package func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

extension FastDigest {
    /// The digests of memory that becomes final block by block, on any threads, in any order.
    ///
    /// Each block is set once by one thread; `digest` may be asked once all are set. After
    /// `reset` the same storage serves the next step.
    package struct Blocks: Sendable {
        /// The number of bytes that all blocks have together.
        package let byteCount: Int
        /// The number of bytes of a block; the last may be shorter.
        package let blockBytes: Int
        private let digests: BlockResults<FastDigest>

        /// Makes room for the digests of so many bytes; another size
        /// of blocks gives another digest.
        package init(byteCount: Int, blockBytes: Int = FastDigest.blockBytes) {
            precondition(byteCount >= 0 && blockBytes > 0, "\(byteCount) bytes by \(blockBytes)")
            self.byteCount = byteCount
            self.blockBytes = blockBytes
            self.digests = BlockResults(
                count: (byteCount + blockBytes - 1) / blockBytes,
                initial: FastDigest(high: 0, low: 0))
        }

        /// The number of blocks; zero for no bytes.
        package var count: Int { digests.count }

        /// Forgets all blocks. Nobody else may be using this meanwhile.
        package func reset() { digests.reset() }

        /// Returns the range of bytes that `block` digests.
        package func bytes(of block: Int) -> Range<Int> {
            precondition(block >= 0 && block < count, "block \(block) of \(count)")
            let start = block * blockBytes
            return start..<min(start + blockBytes, byteCount)
        }

        /// Sets the digest of a block, once between two calls of `reset`.
        package func set(_ block: Int, _ digest: FastDigest) { digests.set(block, digest) }

        /// Digests blocks of a vector of `byteCount` bytes.
        package func set(_ blocks: Range<Int>, of vector: ParameterVector) {
            for block in blocks {
                set(block, numbers(block, of: vector) { FastDigest(numbers: $0) })
            }
        }

        /// Takes the digest of a block's bytes, unless there are NaNs among them.
        package func set(_ block: Int, _ digest: FastDigest, of vector: ParameterVector) {
            let known = numbers(block, of: vector) {
                holdsNaN($0) ? FastDigest(numbers: $0) : digest
            }
            set(block, known)
        }

        private func numbers(
            _ block: Int, of vector: ParameterVector,
            _ body: (UnsafeBufferPointer<Float>) -> FastDigest
        ) -> FastDigest {
            let stride = MemoryLayout<Float>.stride
            precondition(vector.byteCount == byteCount, "\(vector.byteCount), not \(byteCount)")
            precondition(blockBytes % stride == 0, "blocks of \(blockBytes) bytes")
            let bytes = bytes(of: block)
            return vector.withFloats(bytes.lowerBound / stride..<bytes.upperBound / stride, body)
        }

        /// Whether every block has its digest, so that `digest` may be called.
        package var isComplete: Bool { digests.isComplete }

        /// Returns the digest of all blocks, which must be set.
        package func digest() -> FastDigest {
            var words: [UInt64] = []
            words.reserveCapacity(2 * count + 1)
            words = digests.reduce(into: words) { words, digest in
                words.append(digest.low.littleEndian)
                words.append(digest.high.littleEndian)
            }
            words.append(UInt64(byteCount).littleEndian)
            return FastDigest(words: words)
        }
    }
}
