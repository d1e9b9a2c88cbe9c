import Parameters

/// The numbers of one step on one worker: own gradients, the total vector, and the digest of it.
///
/// The thin place where bytes of frames meet floats. A frame is a header's room and then the
/// chunk's float32.
package struct StepNumbers {
    package let total: ParameterVector
    private let sum: ChunkSum
    private let blocks: FastDigest.Blocks
    /// Elements of each digest block that are not known yet.
    private var missing: [Int]

    private static let blockElements = FastDigest.blockBytes / 4

    /// - Parameter blocks: storage for the digest; it may serve many steps, one at a time.
    package init(
        gradients: [ParameterVector], total: ParameterVector, blocks: FastDigest.Blocks
    ) {
        precondition(
            gradients.allSatisfy { $0.count == total.count },
            "gradients of \(gradients.map(\.count)) for a total of \(total.count) elements")
        precondition(blocks.byteCount == total.byteCount, "digest of \(blocks.byteCount) bytes")
        self.total = total
        self.blocks = blocks
        sum = ChunkSum(gradients)
        blocks.reset()
        missing = (0..<blocks.count).map { blocks.bytes(of: $0).count / 4 }
    }

    /// Digest of the total, once every element is known.
    package func digest() -> FastDigest { blocks.digest() }

    // MARK: Chunks

    private func check(_ frame: Int, _ range: Range<Int>) {
        precondition(
            frame == FrameHeader.byteCount + 4 * range.count,
            "a frame of \(frame) bytes for elements \(range)")
        precondition(
            range.lowerBound >= 0 && range.upperBound <= total.count,
            "elements \(range) of \(total.count)")
    }

    /// Adds own gradients to `base` and leaves the sum in the frame.
    package func add(
        _ range: Range<Int>, onto base: FoldAction.Base,
        in frame: UnsafeMutableRawBufferPointer
    ) {
        check(frame.count, range)
        let numbers = frame.baseAddress! + FrameHeader.byteCount
        switch base {
        case .nothing: sum.sum(range, onto: nil, into: numbers)
        case .frame: sum.sum(range, onto: UnsafeRawPointer(numbers), into: numbers)
        case .parked:
            let parked = UnsafeRawPointer(total.unsafeAddress + range.lowerBound)
            sum.sum(range, onto: parked, into: numbers)
        }
    }

    /// Adds own gradients to `base` and leaves the sum, now whole, in the total vector.
    package mutating func finish(
        _ range: Range<Int>, onto base: FoldAction.Base, frame: UnsafeRawBufferPointer?
    ) {
        let place = UnsafeMutableRawPointer(total.unsafeAddress + range.lowerBound)
        switch base {
        case .nothing: sum.sum(range, onto: nil, into: place)
        case .parked: sum.sum(range, onto: UnsafeRawPointer(place), into: place)
        case .frame:
            check(frame!.count, range)
            sum.sum(range, onto: frame!.baseAddress! + FrameHeader.byteCount, into: place)
        }
        digest(range)
    }

    /// Keeps a partial where its total will land.
    package func park(_ frame: UnsafeRawBufferPointer, _ range: Range<Int>) {
        check(frame.count, range)
        total.store(
            bytes: UnsafeRawBufferPointer(rebasing: frame[FrameHeader.byteCount...]),
            at: range.lowerBound)
    }

    /// Takes a total.
    package mutating func store(_ frame: UnsafeRawBufferPointer, _ range: Range<Int>) {
        park(frame, range)
        digest(range)
    }

    /// Copies a chunk of the total vector into a frame.
    package func copy(_ range: Range<Int>, into frame: UnsafeMutableRawBufferPointer) {
        check(frame.count, range)
        (frame.baseAddress! + FrameHeader.byteCount).copyMemory(
            from: total.unsafeAddress + range.lowerBound, byteCount: 4 * range.count)
    }

    /// Digests the blocks that `range` completes.
    private mutating func digest(_ range: Range<Int>) {
        var start = range.lowerBound
        while start < range.upperBound {
            let block = start / Self.blockElements
            let end = min((block + 1) * Self.blockElements, range.upperBound)
            missing[block] -= end - start
            if missing[block] == 0 { blocks.set(block..<block + 1, of: total) }
            start = end
        }
    }
}
