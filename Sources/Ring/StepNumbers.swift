import Parameters

/// Numbers that came from outside: own gradients are added to them, or they are taken as a total.
package struct ChunkOperand {
    /// The numbers as float32, at any alignment.
    package let bytes: UnsafeRawBufferPointer
    /// The digest that the numbers must have, if it is known.
    package let digest: FastDigest?
    /// Whether the numbers are known to have it.
    package let isChecked: Bool

    /// Numbers that nobody can change and that have been checked.
    package init(checked bytes: UnsafeRawBufferPointer, digest: FastDigest? = nil) {
        self.bytes = bytes
        self.digest = digest
        isChecked = true
    }

    /// Numbers in a neighbour's memory.
    package init(_ bytes: UnsafeRawBufferPointer, checkedBy digest: FastDigest) {
        self.bytes = bytes
        self.digest = digest
        isChecked = false
    }
}

/// The numbers of one step on one worker: own gradients, the total vector, and the digest of it.
///
/// The thin place where bytes from neighbours meet floats. Whatever it makes it digests once: that
/// digest goes out beside the numbers.
package struct StepNumbers {
    /// The total vector, which also keeps partials until they can be added to.
    package let total: ParameterVector
    private let sum: ChunkSum
    private let blocks: FastDigest.Blocks
    /// Elements of each digest block that are not known yet.
    private var missing: [Int]
    /// Seconds that checksums of partials took. Digests of totals are not counted: they are the
    /// step's.
    package private(set) var checksumSeconds = 0.0

    /// Bytes of the blocks over which a total is digested. Chunks of that size, digested for the
    /// way anyway, are such blocks.
    package static let blockBytes = 256 << 10
    private static let blockElements = blockBytes / 4

    /// - Parameter blocks: storage for the digest, of `blockBytes`; it may serve many steps, one at
    ///   a time.
    package init(
        gradients: [ParameterVector], total: ParameterVector, blocks: FastDigest.Blocks,
        firstShard: Int = 0, rounding: StochasticRounding? = nil
    ) {
        precondition(
            gradients.allSatisfy { $0.count == total.count },
            "gradients of \(gradients.map(\.count)) for a total of \(total.count) elements")
        precondition(
            blocks.byteCount == total.byteCount && blocks.blockBytes == Self.blockBytes,
            "digest of \(blocks.byteCount) bytes by \(blocks.blockBytes)")
        self.total = total
        self.blocks = blocks
        sum = ChunkSum(gradients, firstShard: firstShard, rounding: rounding)
        blocks.reset()
        missing = (0..<blocks.count).map { blocks.bytes(of: $0).count / 4 }
    }

    /// Digest of the total, once every element is known.
    package func digest() -> FastDigest { blocks.digest() }

    /// A chunk's place in the total vector.
    package func place(of range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= total.count,
            "elements \(range) of \(total.count)")
        return UnsafeMutableRawBufferPointer(
            start: total.unsafeAddress + range.lowerBound, count: 4 * range.count)
    }

    private func check(_ bytes: Int, _ range: Range<Int>) {
        precondition(bytes == 4 * range.count, "\(bytes) bytes for elements \(range)")
    }

    // MARK: Chunks

    /// target = base + own gradients, a partial; `target` may be where a checked `base` lies.
    ///
    /// - Returns: its digest; nil if `base` is not what was sent: then `target` is of no use.
    package mutating func add(
        _ range: Range<Int>, onto base: ChunkOperand?, into target: UnsafeMutableRawBufferPointer
    ) -> FastDigest? {
        guard sum(range, onto: base, into: target) else { return nil }
        return timed { FastDigest(block: UnsafeRawBufferPointer(target)) }
    }

    /// The chunk's total = base + own gradients, in its place.
    ///
    /// - Returns: as `add`.
    package mutating func finish(_ range: Range<Int>, onto base: ChunkOperand?) -> FastDigest? {
        let place = place(of: range)
        guard sum(range, onto: base, into: place) else { return nil }
        let digest = FastDigest(block: UnsafeRawBufferPointer(place))
        note(range, digest)
        return digest
    }

    /// The chunk's total = the gradients of all shards, in its place.
    package mutating func finish(_ range: Range<Int>, of all: ChunkSum) -> FastDigest {
        let place = place(of: range)
        all.sum(range, onto: nil, into: place.baseAddress!)
        let digest = FastDigest(block: UnsafeRawBufferPointer(place))
        note(range, digest)
        return digest
    }

    private mutating func sum(
        _ range: Range<Int>, onto base: ChunkOperand?, into target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        check(target.count, range)
        if let base { check(base.bytes.count, range) }
        sum.sum(range, onto: base?.bytes.baseAddress, into: target.baseAddress!)
        // Afterwards, when it is in this core's cache.
        guard let base, !base.isChecked else { return true }
        return timed { FastDigest(block: base.bytes) == base.digest }
    }

    private mutating func timed<Result>(_ body: () -> Result) -> Result {
        let start = ContinuousClock.now
        let result = body()
        let time = start.duration(to: .now).components
        checksumSeconds += Double(time.seconds) + Double(time.attoseconds) * 1e-18
        return result
    }

    /// The elements themselves and their digest, where they are all that this worker adds.
    package mutating func only(
        _ range: Range<Int>
    ) -> (bytes: UnsafeRawBufferPointer, digest: FastDigest)? {
        guard let gradient = sum.only else { return nil }
        let bytes = UnsafeRawBufferPointer(
            start: gradient.unsafeAddress + range.lowerBound, count: 4 * range.count)
        return (bytes, timed { FastDigest(block: bytes) })
    }

    /// Keeps a partial where its total will land; false if it is not what was sent.
    package mutating func park(_ operand: ChunkOperand, _ range: Range<Int>) -> Bool {
        check(operand.bytes.count, range)
        let place = place(of: range)
        place.copyMemory(from: operand.bytes)
        guard !operand.isChecked else { return true }
        return timed { FastDigest(block: UnsafeRawBufferPointer(place)) == operand.digest }
    }

    /// Takes a total.
    ///
    /// - Returns: its digest; nil if it is not what was sent.
    package mutating func store(_ operand: ChunkOperand, _ range: Range<Int>) -> FastDigest? {
        check(operand.bytes.count, range)
        place(of: range).copyMemory(from: operand.bytes)
        var digest = operand.digest
        if !operand.isChecked || digest == nil {
            // Of what lies here now, and is hot: what the sender has there may change meanwhile.
            digest = FastDigest(block: UnsafeRawBufferPointer(place(of: range)))
            guard operand.isChecked || digest == operand.digest else { return nil }
        }
        note(range, digest!)
        return digest
    }

    /// Digests the blocks that `range` completes.
    private mutating func note(_ range: Range<Int>, _ digest: FastDigest) {
        var start = range.lowerBound
        while start < range.upperBound {
            let block = start / Self.blockElements
            let end = min((block + 1) * Self.blockElements, range.upperBound)
            missing[block] -= end - start
            if start == range.lowerBound,
                blocks.bytes(of: block) == 4 * start..<4 * range.upperBound
            {
                blocks.set(block, digest, of: total)
            } else if missing[block] == 0 {
                blocks.set(block..<block + 1, of: total)
            }
            start = end
        }
    }
}
